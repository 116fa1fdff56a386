import type { Clock } from '../core/clock.ts';
import type { Ids } from '../core/ids.ts';
import type { Logger } from '../core/log.ts';
import type { Plain, PlainObject } from '../core/plain.ts';
import type { DurabilityLevel } from '../journal/journal.ts';
import type { JournalRecord } from '../journal/record.ts';
import type { TaskFunction } from '../actors/behaviours/behaviour.ts';
import type { RunReport } from './report.ts';
import type { SharedMemory } from '../memory/shared/shared-memory.ts';
import type { ScheduleSpec } from '../workflow/model.ts';

/** How a Troupe is made. Everything has a default. */
export interface TroupeOptions {
  /** Folder of the journal; undefined: nothing is written and durability is `memory`. */
  readonly dataDir?: string;
  /** Default: `power` with a dataDir, else `memory`. */
  readonly level?: DurabilityLevel;
  /** Attempts at one time over all runs of this process. Default 16; a document may ask for less. */
  readonly concurrency?: number;
  /** Functions that `uses: function` agents may name instead of a module: `module: host:NAME`. */
  /**
   * Units of other resource kinds that all runs of this process share, e.g. `{ cpu: 100 }`. Default: none,
   * every kind is a run's own. A document may ask for less.
   */
  readonly resources?: { readonly [kind: string]: number };
  readonly functions?: { readonly [name: string]: TaskFunction };
  /** Serve `troupe cancel`, `show` and `resume` of other processes. Default: true with a dataDir. */
  readonly control?: boolean;
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

/** Something that happened in a run: a journal record, or progress, which is never journaled. */
export type RunEvent =
  | (JournalRecord & { readonly run: string })
  | {
      readonly type: 'task.progress';
      readonly run: string;
      readonly task: string;
      readonly at: number;
      readonly fraction: number | null;
      readonly message: string | null;
    };

/** A run that this process owns. */
export interface RunHandle {
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
  readonly tasks_done: number;
  readonly tasks_total: number;
  /** Node of the live process that owns it; null: none. */
  readonly owner: string | null;
}

/** A running Troupe: its actors, its bus, its journal. */
export interface Troupe {
  /** This process's name in the data folder. */
  readonly node: string;
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
  /** The run as its journal tells it, whoever owns it. */
  show(run: string): Promise<RunReport>;
  records(run: string): Promise<readonly JournalRecord[]>;
  runs(): Promise<readonly RunSummary[]>;
  /** Cancels a run: here, in the process that owns it, or in the journal if nobody does. */
  cancel(run: string, by?: string): Promise<void>;
  /** Sends a control request to the owner of a run: verb and answer as in docs/control.md. */
  ask(run: string, verb: string, payload?: Plain): Promise<Plain>;
  /**
   * Ends gently: no new attempts; running ones are aborted, each within its kill time; runs that have not
   * ended stay resumable.
   */
  close(): Promise<void>;
}
