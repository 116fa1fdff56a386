import { SimulatedClock } from '../../src/core/simulated-clock.ts';
import { TroupeError } from '../../src/core/errors.ts';
import type { PlainObject } from '../../src/core/plain.ts';
import type { JournalRecord } from '../../src/journal/record.ts';
import type { WorkflowDocument } from '../../src/workflow/document.ts';
import type { ProcessLoad } from '../../src/policies/parallelism.ts';
import { steadyLoad } from '../../src/runtime/process-load.ts';
import type { Workflow } from '../../src/workflow/model.ts';
import { parseWorkflow } from '../../src/workflow/validate.ts';
import { Shadow } from './shadow.ts';
import type { RunCore } from '../../src/supervisors/run/core.ts';
import { strike } from './blows.ts';
import type { Blow } from './blows.ts';
import { Meter, scriptedFunctions } from './bodies.ts';
import { Dice } from '../../src/simulation/dice.ts';
import { dressed } from './dressing.ts';
import { OneProcess } from './one-process.ts';
import type { LateRun } from './one-process.ts';
import { attend } from './person.ts';
import { randomDocument } from './random-workflow.ts';
import type { RandomDocument } from './random-workflow.ts';

/** The life of one process that carries the run on. */
export interface Phase {
  /** Longest time of a sync in milliseconds; 0: durable at once. */
  readonly syncMs: number;
  readonly blows: readonly Blow[];
  /** Share of what is on its way to the disk that a crash leaves there. */
  readonly keep: number;
  /** Resumes the run even though it has ended without success. */
  readonly reopen: boolean;
}

/** A run's document and its fate, by seed. */
export interface Story {
  readonly seed: number;
  readonly document: RandomDocument;
  readonly input: PlainObject;
  /** Somebody answers what the run asks. */
  readonly isAttended?: boolean;
  /** The last process is left alone. */
  readonly phases: readonly Phase[];
}

/** What one process left behind. */
export interface PhaseResult {
  readonly phase: Phase;
  readonly process: OneProcess;
  readonly run: LateRun;
  readonly meter: Meter;
  readonly end: LateRun['end'] | 'crashed';
  /** The first record after which the live state was not the fold of the journal. */
  readonly strayed: string | undefined;
  /** Everything durable; after a crash also what of the rest had reached the disk. */
  readonly records: readonly JournalRecord[];
}

/** The story of a seed. */
export function storyOf(seed: number): Story {
  const dice = new Dice(seed);
  const dresser = new Dice(seed * 17 + 5);
  const bare = randomDocument(dice);
  const document = dresser.chance(0.6) ? dressed(bare, dresser) : bare;
  const phases = Array.from({ length: dice.between(0, 3) }, () => randomPhase(dice));
  const syncMs = randomSync(dice, 0.4);
  phases.push({ syncMs, blows: decisions(dresser), keep: 0, reopen: false });
  const items = ['i', 'k', 'l'].slice(0, dice.between(0, 3));
  return { seed, document, phases, input: { items, no: false } };
}

/** The workflow of a document; undefined when it contradicts itself and is refused. */
export async function workflowOf(document: RandomDocument): Promise<Workflow | undefined> {
  try {
    return await parseWorkflow(document as unknown as WorkflowDocument, { baseDir: '/' });
  } catch (error) {
    if (error instanceof TroupeError && error.code.startsWith('TRP_WORKFLOW')) return undefined;
    throw error;
  }
}

/** Lives a story through, process after process, until the run has ended for good or goes wrong. */
export async function live(story: Story, workflow: Workflow): Promise<readonly PhaseResult[]> {
  const results: PhaseResult[] = [];
  let before: readonly JournalRecord[] = [];
  for (const [index, phase] of story.phases.entries()) {
    const result = await livePhase({ story, workflow, phase, index, before });
    results.push(result);
    before = result.records;
    if (result.end === 'running' || result.end === 'faulted') break;
    if (result.end !== 'ended') continue;
    if (result.run.report.status === 'succeeded' || !phase.reopen) break;
  }
  return results;
}

interface PhaseParts {
  readonly story: Story;
  readonly workflow: Workflow;
  readonly phase: Phase;
  readonly index: number;
  readonly before: readonly JournalRecord[];
}

async function livePhase(parts: PhaseParts): Promise<PhaseResult> {
  const { story, workflow, phase, index, before } = parts;
  const { seed, input } = story;
  const clock = new SimulatedClock(before.at(-1)?.at ?? 0);
  const meter = new Meter();
  const dice = new Dice(seed * 31 + index);
  const load = randomLoad(new Dice(seed * 13 + index));
  const process = new OneProcess({ clock, functions: scriptedFunctions(clock, meter), load });
  const delay = () => (phase.syncMs === 0 ? undefined : dice.between(0, phase.syncMs));
  // Looked at in some stories only, and where no record is on its way to the disk.
  const shadow = seed % 8 === 0 && phase.syncMs === 0 ? new Shadow(before) : undefined;
  const onRecord = (record: JournalRecord, core: RunCore): void => shadow?.follow(record, core);
  const run = process.start({ workflow, input, seed, before, delay, onRecord });
  if (story.isAttended === true) attend(run, new Dice(seed * 41 + index));
  const hasCrashed = await strike(run, phase.blows);
  if (!hasCrashed) await clock.runUntil(() => run.store.isSynced);
  const records = hasCrashed ? afterCrash(run, phase) : run.store.written;
  const end = hasCrashed ? 'crashed' : run.end;
  return { phase, process, run, meter, records, end, strayed: shadow?.strayed };
}

/** A journal that has no takeover yet is not a run: the next process begins it anew. */
function afterCrash({ store }: LateRun, { keep }: Phase): readonly JournalRecord[] {
  const lost = store.crash();
  const kept = lost.slice(0, Math.floor(keep * (lost.length + 1)));
  const records = [...store.written, ...kept];
  return records.length < 2 ? [] : records;
}

function randomPhase(dice: Dice): Phase {
  const when = (): number => dice.pick([0, 1, 5, 12, 25, 50, 100, 200, 350]) + dice.between(0, 9);
  const blows: Blow[] = [
    { atMs: when(), what: dice.pick(['crash', 'crash', 'interrupt', 'cancel']) },
  ];
  if (dice.chance(0.25)) {
    blows.push({
      atMs: dice.between(0, 400),
      what: dice.pick(['crash', 'interrupt', 'cancel']),
    });
  }
  return { syncMs: randomSync(dice, 0.3), blows, keep: dice.share(), reopen: dice.chance(0.4) };
}

/** Moments at which a person looks for open conflicts. */
function decisions(dice: Dice): Blow[] {
  const count = dice.chance(0.3) ? dice.between(1, 3) : 0;
  return Array.from({ length: count }, () => ({ atMs: dice.between(0, 400), what: 'decide' }));
}

/** A process that is idle, or late and full now and then. */
function randomLoad(dice: Dice): () => ProcessLoad {
  if (dice.chance(0.5)) return () => steadyLoad;
  return () => ({
    ...steadyLoad,
    eventLoopDelayMs: dice.pick([0, 0, 90, 400]),
    memory: dice.pick([0.1, 0.5, 0.95]),
  });
}

function randomSync(dice: Dice, none: number): number {
  return dice.chance(none) ? 0 : dice.pick([1, 8, 30]);
}
