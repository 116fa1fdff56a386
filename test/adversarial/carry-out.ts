import { SimulatedClock } from '../../src/core/simulated-clock.ts';
import type { PlainObject } from '../../src/core/plain.ts';
import type { RunState } from '../../src/journal/run-state.ts';
import type { JournalRecord } from '../../src/journal/record.ts';
import type { RunReport } from '../../src/runtime/report.ts';
import type { RunCore } from '../../src/supervisors/run/core.ts';
import type { WorkflowDocument } from '../../src/workflow/document.ts';
import { parseWorkflow } from '../../src/workflow/validate.ts';
import { strike } from './blows.ts';
import type { Blow } from './blows.ts';
import type { Functions } from './bodies.ts';
import { OneProcess } from './one-process.ts';
import type { RunEnd } from './one-process.ts';

/** A document, and what befalls the one process that carries it out. */
export interface CarryOutOptions {
  readonly document: object;
  readonly input?: PlainObject;
  readonly functions?: (clock: SimulatedClock) => Functions;
  /** A journal to go on from. */
  readonly before?: readonly JournalRecord[];
  /** Time of every sync in milliseconds; absent: durable at once. */
  readonly syncMs?: number;
  readonly blows?: readonly Blow[];
  /** Wall time at the start in milliseconds; default: that of the last record. */
  readonly startMs?: number;
  readonly onRecord?: (record: JournalRecord, core: RunCore) => void;
}

/** What came of it. */
export interface CarriedOut {
  /** `running`: it stands still. */
  readonly end: RunEnd | 'crashed';
  /** Everything durable. */
  readonly records: readonly JournalRecord[];
  readonly state: RunState;
  readonly report: RunReport;
  readonly core: RunCore;
}

/** Carries a document out in a process of its own. */
export async function carryOut(options: CarryOutOptions): Promise<CarriedOut> {
  const { document, functions, before = [], syncMs, blows = [], startMs } = options;
  const workflow = await parseWorkflow(document as WorkflowDocument, { baseDir: '/' });
  const clock = new SimulatedClock(startMs ?? before.at(-1)?.at ?? 0);
  const process = new OneProcess({ clock, ...(functions ? { functions: functions(clock) } : {}) });
  const { input = {}, onRecord = () => undefined } = options;
  const run = process.start({ workflow, input, before, delay: () => syncMs, onRecord });
  const hasCrashed = await strike(run, blows);
  if (hasCrashed) run.store.crash();
  else await clock.runUntil(() => run.store.isSynced);
  const { core, report } = run;
  // A process that has died stops nothing.
  if (!hasCrashed) await process.stop();
  const { written } = run.store;
  const end = hasCrashed ? 'crashed' : run.end;
  return { end, records: written, state: core.ledger.state, report, core };
}

/** A function that takes its time, and after an abort lingers before it fails with the abort's reason. */
export function slow(clock: SimulatedClock, times: { ms: number; lingerMs: number }) {
  return ({ signal }: { readonly signal: AbortSignal }, output: unknown = 1): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const timer = clock.setTimeout(() => resolve(output), times.ms);
      signal.addEventListener('abort', () => {
        clock.clearTimeout(timer);
        clock.setTimeout(() => reject(signal.reason as Error), times.lingerMs);
      });
    });
}

/** The records of some types as lines: when, what, of whom, and how it came out. */
export function lines(
  records: readonly JournalRecord[],
  ...types: readonly JournalRecord['type'][]
): readonly string[] {
  return records.filter(({ type }) => types.includes(type)).map(lineOf);
}

function lineOf(record: JournalRecord): string {
  const { task, group, outcome, reason, attempt } = record as Partial<{
    readonly [field in 'task' | 'group' | 'outcome' | 'reason' | 'attempt']: string | number;
  }>;
  const parts = [record.at, record.type, task ?? group, outcome, reason, attempt];
  return parts.filter((part) => part !== undefined).join(' ');
}
