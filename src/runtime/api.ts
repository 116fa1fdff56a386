import type { Bus } from '../bus/bus.ts';
import type { Clock } from '../core/clock.ts';
import type { Ids } from '../core/ids.ts';
import type { Logger } from '../core/log.ts';
import type { Plain, PlainObject } from '../core/plain.ts';
import type { DurabilityLevel } from '../journal/journal.ts';
import type { RunBounds } from '../supervisors/run/run-bounds.ts';
import type { DeadLetter } from '../journal/dead-letters.ts';
import type { JournalRecord } from '../journal/record.ts';
import type { TaskFunction } from '../actors/behaviours/behaviour.ts';
import type { SharedMemory } from '../memory/shared/shared-memory.ts';
import type { ProviderSource } from '../workflow/normalise-providers.ts';
import type { ScheduleSpec } from '../workflow/model.ts';
import type { GroupPhase } from './group-phase.ts';
import type { AlertEvent } from './alert-event.ts';
import type { RunReport } from './report.ts';
import type { QuestionAnswer, RunControls } from './run-controls.ts';

/** How a Troupe is made. Everything has a default. */
export interface TroupeOptions {
  /** Folder of the journal; undefined: nothing is written and durability is `memory`. */
  readonly dataDir?: string;
  /** Default: `power` with a dataDir, else `memory`; with journals on the bus `process`. */
  readonly level?: DurabilityLevel;
  /**
   * Where journals are: `memory`, `file` (in `dataDir`) or `bus`, so that any process on the bus can take a run over.
   * `bus` needs an option `bus` other than `embedded`. Default: `file` with a dataDir, else `memory`.
   */
  readonly journal?: 'memory' | 'file' | 'bus';
  /**
   * The operator's word that the NATS server syncs before it answers (`sync_interval: always`), which cannot be seen
   * from here: with it, journals on the bus have level `power`. Default: nothing is said.
   */
  readonly serverSync?: 'always';
  /**
   * Take over runs whose process has died, one by one, and carry them to their ends. Default false: `resume` does so
   * for one run.
   */
  readonly adopt?: boolean;
  /**
   * With journals on the bus: after so many milliseconds without a sign of life of this process others take its runs
   * over; at two thirds of it the process starts nothing until it has looked. 500 to 600,000. Default 10 s.
   */
  readonly leaseMs?: number;
  /**
   * With journals on the bus: this process removes runs that ended longer ago, in milliseconds, whoever carried them,
   * with all that is kept of them. Default: runs stay until somebody removes them.
   */
  readonly retainMs?: number;
  /** Submitted runs that this process takes from the bus, at most so many at one time. Default 0: none. */
  readonly takeRuns?: number;
  /** Attempts at one time over all runs of this process. Default 16; a document may ask for less. */
  readonly concurrency?: number | 'auto';
  /**
   * Units of other resource kinds that all runs of this process share, e.g. `{ cpu: 100 }`. Default: none,
   * every kind is a run's own. A document may ask for less.
   */
  readonly resources?: { readonly [kind: string]: number };
  /** How large one run may grow; see docs/limits.md for the defaults. */
  readonly bounds?: RunBounds;
  /**
   * Services that agents call and their limits, spelt as in a document. What is said here of a provider counts
   * instead of what documents say. Default: what documents say.
   */
  readonly providers?: { readonly [name: string]: ProviderSource };
  /** Functions that `uses: function` agents may name instead of a module: `module: host:NAME`. */
  readonly functions?: { readonly [name: string]: TaskFunction };
  /** Serve `troupe cancel`, `show` and `resume` of other processes. Default: true with a dataDir. */
  readonly control?: boolean;
  /**
   * Where runs are shown and their memory is shared: `embedded` (this process), `nats` (a server on this host, started
   * when there is none of ours), addresses such as `nats://host:4222` (several with commas), or a bus, which is
   * not closed with the Troupe. Default: what the document of a run says, else `embedded`.
   */
  readonly bus?: string | Bus;
  /** Namespace on the bus: only those who share it see each other. Letters, digits, `-` and `_`. Default `default`. */
  readonly ns?: string;
  /** Default: the system clock. */
  readonly clock?: Clock;
  /** Default: random ids. */
  readonly ids?: Ids;
  /** Default: silent. */
  readonly logger?: Logger;
}

/** How one run is started. */
export interface RunOptions {
  /** Seed of all random choices. Default: drawn by the runtime and journaled; 1 for a simulated run. */
  readonly seed?: number;
  /**
   * Run under the simulated clock: every behaviour is replaced by `simulate`, hours pass in milliseconds,
   * nothing is written, and seed and input decide every byte of the report. Default false.
   */
  readonly simulate?: boolean;
  /** The run's part of what all runs share, journaled with it. Default: what the document's `schedule` says. */
  readonly schedule?: ScheduleSpec;
  /**
   * Name of the file that the workflow came from, for `runs` and `show`. Only a workflow that comes from a file may name
   * a bus other than `embedded`, so do not give one for a document that somebody else wrote into a request.
   */
  readonly source?: string;
}

/** How a run is handed to whichever process takes it. */
export interface SubmitOptions extends Omit<RunOptions, 'simulate'> {
  /** Id of the run: a second submission of the same id is the same run. Default: a new one. */
  readonly id?: string;
}

/** Something that happened in a run: a journal record, or progress, which is never journaled. */
export type RunEvent =
  | (JournalRecord & {
      readonly run: string;
      /** Of a record that brings a group into another phase. */
      readonly phase?: GroupPhase;
    })
  | {
      readonly type: 'task.progress';
      readonly run: string;
      readonly task: string;
      readonly at: number;
      readonly fraction: number | null;
      readonly message: string | null;
    }
  | AlertEvent
  | {
      /** A call of the run was refused: all calls to the provider wait for so many milliseconds. */
      readonly type: 'provider.paused';
      readonly run: string;
      readonly provider: string;
      readonly at: number;
      readonly for_ms: number;
    }
  | {
      /** Attempts of the run wait for a worker host, and none serves their pool. */
      readonly type: 'pool.unserved';
      readonly run: string;
      readonly pool: string;
      readonly at: number;
    };

/** A run that this process owns. */
export interface RunHandle extends RunControls {
  readonly id: string;
  /** Events from now on; ends with the run. Records come in journal order, when they are durable. */
  events(): AsyncIterable<RunEvent>;
  /** The run as it stands: partial results at any time. */
  report(): RunReport;
  /** Resolves when the run has ended, however it ended; rejects only when the run cannot go on (journal lost). */
  outcome(): Promise<RunReport>;
  /** Asks every live attempt to stop. Resolves when the run has ended. */
  cancel(by?: string): Promise<RunReport>;
}

/** One line of `troupe runs`. */
export interface RunSummary {
  readonly run_id: string;
  readonly workflow: string;
  readonly status: RunReport['status'] | 'interrupted';
  readonly started_at: string;
  /** Ended, however they ended. */
  readonly tasks_done: number;
  readonly tasks_succeeded: number;
  readonly tasks_total: number;
  /** Node of the live process that owns it; null: none. */
  readonly owner: string | null;
}

/** Which side of an open conflict stands, or a value instead of both. */
export type ConflictAnswer =
  | { readonly choice: 'theirs' | 'mine'; readonly by?: string }
  | { readonly choice: 'value'; readonly value: Plain; readonly by?: string };

/** A running Troupe: its actors, its bus, its journal. */
export interface Troupe {
  /** This process's name in the data folder. */
  readonly node: string;
  /**
   * The bus of this process. Runs show their memory, progress and results on it, as docs/memory.md says; on the embedded
   * one from the moment on when it is first asked for here, since nobody could have looked before.
   */
  readonly bus: Bus;
  /**
   * The memory of a run, as every process on the run's bus has it: views, watches, and proposals, which the run decides
   * like the writes of its own tasks (the agent or task named there must be allowed to write the key).
   */
  memory(run: string): Promise<SharedMemory>;
  /**
   * Starts a run of a workflow: a normalised Workflow, a document as plain data, or the path of a file.
   * Rejects with the first fault's code when the document is invalid; resolves when the start is durable.
   */
  run(workflow: unknown, input?: PlainObject, options?: RunOptions): Promise<RunHandle>;
  /**
   * Takes over a run that has no live owner and goes on; nothing that succeeded runs again. A run that
   * ended without full success is opened again for what had not succeeded; one that succeeded stays as it is.
   */
  resume(run: string): Promise<RunHandle>;
  /**
   * Hands a run to whichever process takes runs from the bus (`troupe serve`, `takeRuns`); resolves with its id when
   * the queue has it, whoever dies then. Needs journals on the bus.
   */
  submit(workflow: unknown, input?: PlainObject, options?: SubmitOptions): Promise<string>;
  /**
   * A run of any process on the bus, seen through its journal: events, the report so far, the outcome. Resolves when
   * the run has begun, which a submitted run does when somebody takes it. Needs journals on the bus.
   */
  follow(run: string): Promise<RunHandle>;
  /**
   * Takes no submitted runs and adopts none from now on; resolves when the runs that are here have ended, at the
   * latest after this time. Default: at once.
   */
  drain(withinMs?: number): Promise<void>;
  /** The run as its journal tells it, whoever owns it. */
  show(run: string): Promise<RunReport>;
  records(run: string): Promise<readonly JournalRecord[]>;
  /** What could be neither delivered nor applied, oldest first: late results, refused writes, quarantined tasks. */
  deadLetters(run: string): Promise<readonly DeadLetter[]>;
  runs(): Promise<readonly RunSummary[]>;
  /** Cancels a run: here, in the process that owns it, or in the journal if nobody does. */
  cancel(run: string, by?: string): Promise<void>;
  /**
   * Decides an open conflict of a run, in the process that owns it; a run that nobody carries is taken over for
   * it, as `resume` does. Rejects with TRP_CONFLICT_UNKNOWN when there is no open conflict of that number.
   */
  resolveConflict(run: string, conflict: number, answer: ConflictAnswer): Promise<void>;
  /** As on a handle, for a run of any process; a run that nobody carries gets it into its journal. */
  answer(run: string, question: number, answer: QuestionAnswer): Promise<void>;
  pause(run: string, by?: string): Promise<void>;
  skip(run: string, task: string, by?: string): Promise<void>;
  /**
   * Tries a task once more. In an ended run that opens the task and what its result goes into, and nothing else that
   * has finished runs again. A run that nobody carries goes on here; undefined: another process carries it.
   */
  retry(run: string, task: string, by?: string): Promise<RunHandle | undefined>;
  /**
   * A new run of the same workflow and input that takes over all finished results of another one, except those of a
   * task and of what its result goes into.
   */
  fork(run: string, options: { readonly from: string }): Promise<RunHandle>;
  /** Sends a control request to the owner of a run: verb and answer as in docs/control.md. */
  ask(run: string, verb: string, payload?: Plain): Promise<Plain>;
  /**
   * Ends gently: no new attempts; running ones are aborted, each within its kill time; runs that have not
   * ended stay resumable.
   */
  close(): Promise<void>;
}
