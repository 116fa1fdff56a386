import type { Clock } from '../../core/clock.ts';
import type { Bus } from '../bus.ts';
import type { Schedule } from './delivery-queue.ts';
import type { NetworkFaults } from './faults.ts';

/** How an embedded bus is made. */
export interface EmbeddedBusOptions {
  /** For everything that takes time: answers, deliveries that are due again, keys that outlive themselves. */
  readonly clock: Clock;
  /** How deliveries give way to the event loop, after a thousand of them at the latest: `setImmediate`. */
  readonly schedule: Schedule;
  /** Namespace of everything that is named through this bus: letters, digits, - and _. Default `default`. */
  readonly ns?: string;
  /** Largest payload, encoded, in bytes. Default 1 MiB, as NATS has it. */
  readonly maxPayloadBytes?: number;
  /**
   * Messages that may wait for one subscription, where it does not say, and in the outbox while disconnected.
   * Default 262,144.
   */
  readonly maxPending?: number;
  /** Told what a handler threw, or its promise rejected with. Default: ignored. */
  readonly onError?: (error: unknown, subject: string) => void;
  /** A network that loses, doubles, delays and reorders deliveries, for tests. Default: a perfect one. */
  readonly faults?: NetworkFaults;
  /** Of the dice that the faults are thrown with. Default 1. */
  readonly seed?: number;
}

/** The bus of one process: nothing to install, nothing encoded. What can go wrong on a network, a test can make happen. */
export interface EmbeddedBus extends Bus {
  /** Deliveries lost because a subscription had too many waiting. */
  readonly dropped: number;
  /** Another connection to the same things, with its own subscriptions, state and end. */
  peer(options?: Pick<EmbeddedBusOptions, 'onError'>): EmbeddedBus;
  /** Cuts this connection: what was published and not yet delivered is lost, what is stored is not. */
  disconnect(): void;
  /** Brings it back. */
  reconnect(): void;
}
