import type { AttemptRequest } from '../behaviour.ts';
import type { Envelope, Order, Report } from './protocol.ts';

/** What an attempt hears from its carrier. */
export interface CarrierListener {
  onReport(envelope: Envelope<Report>): void;
  /** The carrier has ended; `how` as in {@link Carrier.ended}. */
  onEnd(how: string): void;
}

/** A thread or process that carries one attempt at a time. */
export interface Carrier {
  /** Sends an order; lost when the carrier has ended. */
  post(envelope: Envelope<Order>): void;
  /** Who hears of reports and of the end from now on; replaces whoever heard before. */
  listen(listener: CarrierListener): void;
  /** Ends it at once, whatever it is doing. */
  kill(): void;
  /** Resolves, when nothing of it is left, with how it ended: `exited with code 3`, and its last error lines. */
  readonly ended: Promise<string>;
}

/** Where carriers come from and go. */
export interface CarrierSource {
  /** What one is called in messages. */
  readonly kind: 'thread' | 'process';
  take(request: AttemptRequest): Carrier;
  /** Gets back a carrier whose attempt has ended in order; resolves when it is idle or gone. */
  giveBack(request: AttemptRequest, carrier: Carrier): Promise<void>;
  /** Ends those that are idle. */
  close(): Promise<void>;
}
