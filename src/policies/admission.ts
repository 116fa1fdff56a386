import { TroupeError } from '../core/errors.ts';

/** A task's wish to start. */
export interface PermitRequest {
  readonly id: string;
  /** The run. */
  readonly scope: string;
  /** Units per resource kind; one unit of `concurrency` is implied. */
  readonly demand: Readonly<Record<string, number>>;
  /** Higher first. */
  readonly priority: number;
  /** Longest path to the end in milliseconds; higher first within one priority. */
  readonly rank: number;
  /** When it was made, wall milliseconds. */
  readonly at: number;
}

export interface AdmissionOptions {
  /** Units of the process-wide kinds, among them `concurrency`. */
  readonly capacity: Readonly<Record<string, number>>;
  /** Waiting time that raises a request's priority by one, in milliseconds. */
  readonly agePeriodMs: number;
}

/** The governor's queue: who may start now, and who holds what. */
export class AdmissionQueue {
  constructor(_options: AdmissionOptions) {
    // The structure follows.
  }

  /** Declares a run and the capacity of its own kinds; kinds without an entry have `defaultCapacity` (1). */
  setScope(_scope: string, _capacity: Readonly<Record<string, number>>, _defaultCapacity = 1): void {
    throw pending();
  }

  /** Queues a request; throws TRP_WORKFLOW_UNSATISFIABLE when its demand is above a capacity. */
  request(_request: PermitRequest): void {
    throw pending();
  }

  /** Takes a waiting request back. False: it was not waiting. */
  withdraw(_scope: string, _id: string): boolean {
    throw pending();
  }

  /** Gives back what a request holds, or only `part` of it. False: it held nothing. */
  release(_scope: string, _id: string, _part?: Readonly<Record<string, number>>): boolean {
    throw pending();
  }

  /** Forgets a run: its waiting requests and what it holds. */
  removeScope(_scope: string): void {
    throw pending();
  }

  /** Everything that can start now, in order of start; it holds its demand until it is released. */
  admit(_now: number): PermitRequest[] {
    throw pending();
  }

  /** Units held per kind, of one run or of all. */
  inUse(_scope?: string): Record<string, number> {
    throw pending();
  }

  /** Requests waiting, of one run or of all. */
  waiting(_scope?: string): number {
    throw pending();
  }
}

function pending(): TroupeError {
  return new TroupeError('TRP_INTERNAL', 'Admission is not there yet.');
}
