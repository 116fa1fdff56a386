import type { AttemptRequest } from '../../actors/behaviours/behaviour.ts';
import type { WorkerEvent } from '../../actors/worker.ts';
import type { Deadline } from '../../core/deadlines.ts';
import type { Mailbox } from './core.ts';
import type { LiveCalls } from './provider-calls.ts';
import type { HedgedFailure } from './reliability-ports.ts';

/** A further attempt at work that another attempt is at. */
export interface Hedge {
  readonly task: string;
  /** The attempt that takes long. */
  readonly of: number;
  /** Undefined: it waits for its permits. */
  request?: AttemptRequest;
  worker?: Mailbox<WorkerEvent> | undefined;
  timer?: Deadline | undefined;
  calls?: LiveCalls | undefined;
  instance?: number | undefined;
  startedAt: number;
  /** It is decided that it has lost; it is asked to end. */
  lost: boolean;
  /** How the other attempt has failed; what follows from that is decided when this one has ended. */
  failure?: HedgedFailure;
}

/** Which of a task's attempts are being watched, since when, and how many hedges they have had. */
export interface Watched {
  readonly attempt: number;
  readonly since: number;
  used: number;
  timer: Deadline | undefined;
}
