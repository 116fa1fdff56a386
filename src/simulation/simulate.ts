import type { TaskFunction } from '../actors/behaviours/behaviour.ts';
import { loadFunction } from '../actors/behaviours/module.mjs';
import { TroupeError } from '../core/errors.ts';
import type { PlainObject } from '../core/plain.ts';
import { fold } from '../journal/fold.ts';
import type { JournalRecord } from '../journal/record.ts';
import { buildGraph } from '../planning/graph.ts';
import type { RunReport } from '../runtime/report.ts';
import { reportOf } from '../runtime/reporting.ts';
import { loadWorkflow, parseWorkflow } from '../workflow/validate.ts';
import type { Workflow } from '../workflow/model.ts';
import { drawFaults, faultClasses } from './fault-plan.ts';
import type { FaultClass } from './fault-plan.ts';
import { violationsOf } from './invariants.ts';
import type { Violation } from './invariants.ts';
import { World } from './world.ts';
import type { SimulatedHost } from './world.ts';

/** Functions that a document names as `host:NAME`. */
export interface SimulatedFunctions {
  readonly [name: string]: TaskFunction;
}

/** What {@link simulate} is given. */
export interface SimulateOptions {
  readonly input?: PlainObject;
  /** All that goes wrong, and every choice, follows from it. Default 1. */
  readonly seed?: number;
  /** Classes of faults that may be drawn. Default: all of {@link faultClasses}; an empty list: nothing goes wrong. */
  readonly faults?: readonly FaultClass[];
  /**
   * Functions of the document, or what makes them for a process: functions that wait must wait on its clock.
   * Default: none, and every agent is played by `simulate`.
   */
  readonly functions?: SimulatedFunctions | ((host: SimulatedHost) => SimulatedFunctions);
  /** Processes that share the store. Default 2. */
  readonly processes?: number;
  /** How long runs may take after everything has healed, in milliseconds of virtual time. Default 6 hours. */
  readonly patienceMs?: number;
  /** Called in virtual time with every record that is durable. True ends the simulation there. */
  readonly until?: (record: JournalRecord) => boolean;
}

/** What came of a simulation. */
export interface Simulated {
  readonly report: RunReport;
  /** The whole journal. */
  readonly records: readonly JournalRecord[];
  /** What happened, line by line: milliseconds from the beginning, whom, what. */
  readonly trace: readonly string[];
  /** Of the trace: equal for equal seeds, in every process. */
  readonly hash: string;
  /** Invariants that did not hold; empty when all is well. */
  readonly violations: readonly Violation[];
  /** Classes that this seed has drawn. */
  readonly faults: readonly FaultClass[];
  /** Virtual time in milliseconds at which the world healed, and at which it ended. */
  readonly healedAtMs: number;
  readonly endedAtMs: number;
}

const defaultPatienceMs = 6 * 3_600_000;

/** Only the document limits a simulated run. */
const unlimited = 1_000_000;

/**
 * Carries a workflow out in a simulated world: real supervisors in several processes over one store and one
 * bus that fail as the seed says, in virtual time. The same seed gives the same trace.
 * @param document a document, a normalised workflow, or the path of a file.
 * @throws TroupeError when the document is invalid, TRP_OPTION_INVALID
 */
export async function simulate(
  document: unknown,
  options: SimulateOptions = {},
): Promise<Simulated> {
  const {
    seed = 1,
    processes = 2,
    functions,
    input = {},
    patienceMs = defaultPatienceMs,
  } = options;
  check(options);
  const workflow = await workflowOf(document);
  if (functions !== undefined) await loadModules(workflow);
  const plan = drawFaults(seed, { processes, ...(options.faults && { allowed: options.faults }) });
  const world = new World({
    seed,
    plan,
    processes,
    patienceMs,
    concurrency: unlimited,
    runs: [{ workflow, input, simulated: functions === undefined }],
    functions: (host) => (typeof functions === 'function' ? functions(host) : (functions ?? {})),
    ...(options.until && { until: options.until }),
  });
  const end = await world.live();
  const endedAtMs = world.clock.monotonic();
  await world.stop();
  const journals = await world.journals();
  const [records = []] = journals.values();
  const state = fold(records);
  return {
    report: reportOf(state, buildGraph(state.workflow ?? workflow)),
    records,
    trace: world.trace.lines,
    hash: world.trace.hash(),
    violations: violationsOf({ world, journals, end }),
    faults: [...plan.classes],
    healedAtMs: plan.healMs,
    endedAtMs,
  };
}

/** A module is loaded from a real disk, so that is done before time begins. What cannot be loaded fails its attempts. */
async function loadModules({ agents, baseDir }: Workflow): Promise<void> {
  const own = Object.values(agents).filter(
    ({ uses, isolate, module = '' }) =>
      uses === 'function' && isolate === 'inline' && !module.startsWith('host:'),
  );
  await Promise.allSettled(
    own.map(({ module, export: name }) => loadFunction({ module, export: name, baseDir })),
  );
}

async function workflowOf(document: unknown): Promise<Workflow> {
  return typeof document === 'string'
    ? loadWorkflow(document)
    : parseWorkflow(document as Workflow);
}

function check({ faults = [], processes = 2 }: SimulateOptions): void {
  const unknown = faults.find((fault) => !faultClasses.includes(fault));
  if (unknown !== undefined)
    throw invalid(`faults has ${JSON.stringify(unknown)}; there are ${faultClasses.join(', ')}`);
  if (!Number.isInteger(processes) || processes < 1 || processes > 16)
    throw invalid(`processes is ${processes}; it must be a whole number from 1 to 16`);
}

function invalid(what: string): TroupeError {
  return new TroupeError('TRP_OPTION_INVALID', `The option ${what}.`);
}
