import { NatsError } from 'nats';
import type { Clock, TimerHandle } from '../../core/clock.ts';
import { TroupeError } from '../../core/errors.ts';
import type { BusState, BusStatus } from '../bus.ts';
import { closedError, contractError, disconnectedError } from './client-errors.ts';

/** What repeating needs to know of a link. */
export interface PersistentLink {
  readonly clock: Clock;
  readonly state: BusState;
  /** Milliseconds since the present connection was made. */
  readonly connectedForMs: number;
  /** Whether the server says that it runs JetStream, which may still be coming up. */
  readonly hasJetStream: boolean;
  /** Whether the server is one of several, among which streams may be without a leader for some seconds at any time. */
  readonly isClustered: boolean;
  onStatus(listener: (status: BusStatus) => void): () => void;
}

/** Something that may be repeated without harm. */
export interface PersistentOperation<T> {
  /** The act, as the beginning of a sentence: `Reading the log`. */
  readonly what: string;
  readonly operation: () => Promise<T>;
  readonly timeoutMs: number;
}

/** How long a server that was just started may say that JetStream is not there yet, in milliseconds. */
const settleMs = 10_000;

/** Between two tries on one connection, in milliseconds. */
const pauseMs = 50;

/**
 * Carries an operation out, again after each disconnection. Rejects in the words of the contract.
 * An operation under way when the connection is lost is left alone; its result counts if it comes after all.
 */
export function persist<T>(link: PersistentLink, work: PersistentOperation<T>): Promise<T> {
  return new Promise((resolve, reject) => new Persistence({ link, work, resolve, reject }).begin());
}

interface PersistenceOptions<T> {
  readonly link: PersistentLink;
  readonly work: PersistentOperation<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

/** Invariant: at most one try is current; only the current one's failure counts, and any one's success. */
class Persistence<T> {
  private readonly options: PersistenceOptions<T>;
  private readonly end: TimerHandle;
  private readonly stopListening: () => void;
  private pause: TimerHandle;
  private current = 0;
  private lastFailure: unknown;

  constructor(options: PersistenceOptions<T>) {
    this.options = options;
    const { link, work } = options;
    this.end = link.clock.setTimeout(() => this.expire(), work.timeoutMs);
    this.stopListening = link.onStatus((status) => this.stateChanged(status.state));
  }

  begin(): void {
    this.stateChanged(this.options.link.state);
  }

  private stateChanged(state: BusState): void {
    this.current++;
    if (state === 'closed') this.fail(closedError());
    else if (state === 'connected') void this.attempt();
  }

  private async attempt(): Promise<void> {
    this.options.link.clock.clearTimeout(this.pause);
    const number = ++this.current;
    try {
      this.succeed(await this.options.work.operation());
    } catch (error) {
      if (number === this.current) this.failed(error);
    }
  }

  private failed(error: unknown): void {
    const { link, work } = this.options;
    const failure = contractError(error, work.what);
    if (!this.mayPass(failure)) return this.fail(failure);
    this.lastFailure = failure;
    this.pause = link.clock.setTimeout(() => {
      if (link.state === 'connected') void this.attempt();
    }, pauseMs);
  }

  /** A connection that is being lost, or a server whose JetStream is not up yet. */
  private mayPass(failure: unknown): boolean {
    const { link } = this.options;
    if (!(failure instanceof TroupeError)) return false;
    if (failure.code === 'TRP_BUS_DISCONNECTED') return true;
    if (failure.code === 'TRP_BUS_NO_RESPONDERS' && link.isClustered) return true;
    const absent = failure.code === 'TRP_BUS_NO_RESPONDERS' || saysNotYet(failure.cause);
    return absent && link.hasJetStream && link.connectedForMs < settleMs;
  }

  private expire(): void {
    const { link, work } = this.options;
    if (link.state !== 'connected') return this.fail(disconnectedError(work.what));
    this.fail(this.isLeaderless() ? leaderless(work) : (this.lastFailure ?? tooLong(work)));
  }

  private isLeaderless(): boolean {
    const { lastFailure } = this;
    const isAbsent =
      lastFailure instanceof TroupeError && lastFailure.code === 'TRP_BUS_NO_RESPONDERS';
    return isAbsent && this.options.link.isClustered;
  }

  private succeed(value: T): void {
    this.finish();
    this.options.resolve(value);
  }

  private fail(error: unknown): void {
    this.finish();
    this.options.reject(error);
  }

  private finish(): void {
    this.current++;
    this.stopListening();
    this.options.link.clock.clearTimeout(this.end);
    this.options.link.clock.clearTimeout(this.pause);
  }
}

function tooLong({ what, timeoutMs }: PersistentOperation<unknown>): TroupeError {
  const message = `${what} took longer than ${timeoutMs} ms.`;
  return new TroupeError('TRP_BUS_TIMEOUT', message, { errorClass: 'timeout' });
}

function leaderless({ what, timeoutMs }: PersistentOperation<unknown>): TroupeError {
  const message = `${what}: no server of the cluster took it for ${timeoutMs} ms.`;
  return new TroupeError('TRP_BUS_TIMEOUT', message, {
    hint: 'Repeat it: a new leader is found within seconds, as long as most servers of the cluster are there. Else look whether the stream is.',
    errorClass: 'timeout',
  });
}

/** JetStream is there and not ready (no leader, recovering); 10039 and 10076 say that it is switched off. */
function saysNotYet(cause: unknown): boolean {
  if (!(cause instanceof NatsError) || !cause.api_error) return false;
  const { code, err_code: apiCode } = cause.api_error;
  return code === 503 && apiCode !== 10_039 && apiCode !== 10_076;
}
