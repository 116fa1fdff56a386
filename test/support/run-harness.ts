import type { TaskFunction } from '../../src/actors/behaviours/behaviour.ts';
import { SimulatedClock } from '../../src/core/simulated-clock.ts';
import { silentLogger } from '../../src/core/log.ts';
import { toPlain } from '../../src/core/plain.ts';
import type { PlainObject } from '../../src/core/plain.ts';
import { fold } from '../../src/journal/fold.ts';
import type { RunState } from '../../src/journal/run-state.ts';
import type { OwnedRun } from '../../src/journal/journal.ts';
import { recordFormat } from '../../src/journal/record.ts';
import type { JournalRecord, RunStarted } from '../../src/journal/record.ts';
import { rollingPlan } from '../../src/planning/dispatch-plan.ts';
import { reportOf } from '../../src/runtime/reporting.ts';
import { steadyLoad } from '../../src/runtime/process-load.ts';
import type { ProcessLoad } from '../../src/policies/parallelism.ts';
import type { RunReport } from '../../src/runtime/report.ts';
import { startSystem } from '../../src/runtime/system.ts';
import { assembleRun } from '../../src/supervisors/run/assemble.ts';
import type { RunCore } from '../../src/supervisors/run/core.ts';
import type { WorkflowDocument } from '../../src/workflow/document.ts';
import { parseWorkflow } from '../../src/workflow/validate.ts';

/** Where in an append a process dies: nothing is written; it is written and nobody has heard; what follows has begun. */
export type CrashPoint = 'before' | 'between' | 'after';

/** What a run under the simulated clock is given. Functions are named by agents as `host:NAME`. */
export interface HarnessOptions {
  readonly document: object;
  readonly input?: PlainObject;
  readonly seed?: number;
  readonly functions?: { readonly [name: string]: TaskFunction };
  /** How the process stands, by the simulated time; default: it is idle. */
  readonly load?: (nowMs: number) => ProcessLoad;
  /** A journal to go on from, as if a process had died after its last record. */
  readonly records?: readonly JournalRecord[];
  /** Called with the live core and the clock before time begins to move. */
  readonly during?: (core: RunCore, clock: SimulatedClock) => void;
  /** When its process dies: at which append to the journal, from 1, and where in it. */
  readonly crash?: { readonly append: number; readonly point: CrashPoint };
  /** Called with every record once it is durable. */
  readonly onRecord?: (record: JournalRecord, core: RunCore) => void;
}

/** What came of it. */
export interface HarnessResult {
  readonly records: readonly JournalRecord[];
  readonly state: RunState;
  readonly report: RunReport;
  readonly core: RunCore;
  /** Appends to the journal. */
  readonly appends: number;
  /** How the run's actor ended; `stuck`: time ran out of events first; `died`: its process crashed, as asked for. */
  readonly end: 'ended' | 'interrupted' | 'stuck' | 'faulted' | 'died';
}

/** Carries a workflow out with the real supervisors under the simulated clock. */
export async function carryOut(options: HarnessOptions): Promise<HarnessResult> {
  const workflow = await parseWorkflow(options.document as WorkflowDocument, { baseDir: '/' });
  const before = options.records ?? [];
  const clock = new SimulatedClock(before.at(-1)?.at ?? 0);
  const written: JournalRecord[] = [...before];
  let end: HarnessResult['end'] = 'stuck';
  let appends = 0;
  const { crash } = options;
  const owned: OwnedRun = {
    run: 'run-test',
    epoch: 1 + before.filter(({ type }) => type === 'lease.taken').length,
    records: before,
    append: (records, durable) => {
      appends++;
      const dies = appends === crash?.append ? crash.point : undefined;
      if (end === 'died' || dies === 'before') {
        end = 'died';
        return;
      }
      for (const record of records)
        written.push(toPlain(record as never) as unknown as JournalRecord);
      if (dies !== 'between') durable();
      if (dies !== undefined) end = 'died';
    },
    release: () => Promise.resolve(),
  };
  const start: RunStarted =
    before[0]?.type === 'run.started'
      ? before[0]
      : {
          type: 'run.started',
          run: 'run-test',
          format: recordFormat,
          engine: 'test',
          workflow: toPlain(workflow as never) as never,
          source: '',
          input: options.input ?? {},
          seed: options.seed ?? 1,
          simulated: false,
        };
  const system = startSystem({
    clock,
    logger: silentLogger,
    concurrency: 1_000_000,
    functions: options.functions ?? {},
    environment: {},
    load: options.load && (() => options.load?.(clock.now()) ?? steadyLoad),
    progressed: () => undefined,
  });
  let live: RunCore | undefined;
  const input = {
    run: owned.run,
    assemble: (parts: Parameters<typeof assembleRun>[1]) =>
      assembleRun(
        {
          owned,
          node: 'node-test',
          start,
          services: system.services,
          planner: rollingPlan,
          onRecord: (record) => {
            if (live) options.onRecord?.(record, live);
          },
          onCore: (core) => {
            live = core;
          },
        },
        parts,
      ),
    onOpened: () => undefined,
    onEnded: () => {
      if (end === 'stuck') end = 'ended';
    },
    onInterrupted: () => {
      if (end === 'stuck') end = 'interrupted';
    },
    onFault: () => {
      if (end === 'stuck') end = 'faulted';
    },
  };
  system.runs.send({ type: 'child.start', id: owned.run, src: 'run', input });
  if (!live) throw new Error('the run did not start');
  const core: RunCore = live;
  options.during?.(core, clock);
  await clock.runUntil(() => end !== 'stuck');
  await system.stop();
  const { state } = core.ledger;
  return {
    records: written,
    state,
    report: reportOf(state, core.graph, { now: clock.now(), live: core }),
    core,
    appends,
    end,
  };
}

/** The state that a journal folds to, without what differs between a live fold and one from disk. */
export function refolded(records: readonly JournalRecord[]): RunState {
  return fold(records);
}

/** Outcomes by task id. */
export function outcomes(report: RunReport): { readonly [task: string]: string } {
  return Object.fromEntries(report.tasks.map(({ id, outcome }) => [id, outcome]));
}

/** Shorthand for a simulated task: how long it takes, and the rest of the task. */
export function sim(durationMs: number, rest: object = {}): object {
  const { with: extra = {}, ...others } = rest as { with?: object };
  return { uses: 'simulate', with: { duration: durationMs, ...extra }, ...others };
}
