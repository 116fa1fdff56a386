import type { Clock } from '../../core/clock.ts';
import type { Deadlines } from '../../core/deadlines.ts';
import type { BusState, BusStatus } from '../bus.ts';
import { closedError, disconnectedError } from './bus-errors.ts';
import type { Schedule } from './delivery-queue.ts';

/** Something that lives on a connection. */
export interface Attachment {
  /** The connection is gone. */
  detached(): void;
  /** It is back. */
  attached(): void;
  /** It will not come back. */
  closed(): void;
}

/** What a {@link Connection} needs. */
export interface ConnectionOptions {
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  /** Runs listeners, off the stack of whoever changes the state. */
  readonly later: Schedule;
}

interface Waiter {
  resolve(): void;
  reject(error: Error): void;
}

/** How long calls wait for a connection. */
const patienceMs = 5_000;

/**
 * What one bus is to the server in this process: connected, until a test disconnects it or it is closed.
 *
 * Invariants:
 * 1. `state` changes only in `become`, which tells everybody; `closed` is final.
 * 2. Nobody waits for the connection while it is there.
 */
export class Connection {
  private readonly options: ConnectionOptions;
  private readonly attachments = new Set<Attachment>();
  private readonly listeners = new Set<(status: BusStatus) => void>();
  private readonly waiters = new Set<Waiter>();
  private current: BusState = 'connected';

  constructor(options: ConnectionOptions) {
    this.options = options;
  }

  get state(): BusState {
    return this.current;
  }

  onStatus(listener: (status: BusStatus) => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  /** Tells the attachment of every change; the function returned ends that. */
  attach(attachment: Attachment): () => void {
    this.attachments.add(attachment);
    return () => void this.attachments.delete(attachment);
  }

  /** Carries a call out when there is a connection. Rejects with TRP_BUS_CLOSED or TRP_BUS_DISCONNECTED. */
  async call<T>(operation: () => T | Promise<T>, timeoutMs = patienceMs): Promise<T> {
    if (this.current !== 'connected') await this.connected(timeoutMs);
    return operation();
  }

  disconnect(uncertain: number): void {
    if (this.current !== 'connected') return;
    this.become({ state: 'disconnected', detail: 'the connection was cut', uncertain });
    for (const attachment of this.attachments) attachment.detached();
  }

  reconnect(): void {
    if (this.current !== 'disconnected') return;
    this.become({ state: 'connected', detail: 'the connection is back', uncertain: 0 });
    for (const attachment of this.attachments) attachment.attached();
    this.settleWaiters((waiter) => waiter.resolve());
  }

  /** Refuses calls from now on; what is attached ends with {@link end}. */
  close(): void {
    this.become({ state: 'closed', detail: 'the bus was closed', uncertain: 0 });
    this.settleWaiters((waiter) => waiter.reject(closedError()));
  }

  /** Ends everything that is attached. */
  end(): void {
    for (const attachment of this.attachments) attachment.closed();
    this.attachments.clear();
  }

  private async connected(timeoutMs: number): Promise<void> {
    if (this.current === 'closed') throw closedError();
    await new Promise<void>((resolve, reject) => {
      const { clock, deadlines } = this.options;
      const deadline = deadlines.at(clock.now() + timeoutMs, () => {
        this.waiters.delete(waiter);
        reject(disconnectedError());
      });
      const waiter: Waiter = {
        resolve: () => (deadline.cancel(), resolve()),
        reject: (error) => (deadline.cancel(), reject(error)),
      };
      this.waiters.add(waiter);
    });
  }

  private settleWaiters(settle: (waiter: Waiter) => void): void {
    const waiters = [...this.waiters];
    this.waiters.clear();
    for (const waiter of waiters) settle(waiter);
  }

  /** Each listener in a job of its own: one that throws keeps none from hearing. */
  private become(status: BusStatus): void {
    this.current = status.state;
    for (const listener of this.listeners) {
      this.options.later(() => {
        if (this.listeners.has(listener)) listener(status);
      });
    }
  }
}
