import type { Clock } from '../../core/clock.ts';
import { Deadlines } from '../../core/deadlines.ts';
import { seededRandom } from '../../core/random.ts';
import type { Plain } from '../../core/plain.ts';
import type { LogKind } from '../event-log.ts';
import type { Headers } from '../headers.ts';
import type { KeyBucketOptions } from '../key-bucket.ts';
import { maxListedLetters } from '../work-queue.ts';
import type { PoolDeadLetter, WorkQueueOptions } from '../work-queue.ts';
import { DeliveryQueue } from './delivery-queue.ts';
import type { Schedule } from './delivery-queue.ts';
import { FaultyNetwork } from './faults.ts';
import type { NetworkFaults } from './faults.ts';
import { Message } from './message.ts';
import { StoredBlobs } from './stored-blobs.ts';
import { StoredBucket } from './stored-bucket.ts';
import { LogCarrier } from './stored-log.ts';
import type { StoredLog } from './stored-log.ts';
import { StoredQueue } from './stored-queue.ts';
import { Subscribers } from './subscribers.ts';

/** What a {@link Server} is made of. */
export interface ServerOptions {
  readonly clock: Clock;
  readonly schedule: Schedule;
  readonly faults: NetworkFaults | undefined;
  readonly seed: number;
  readonly onError: (error: unknown) => void;
}

const noHeaders: Headers = Object.freeze({});

/**
 * What all connections of one embedded bus share: subscriptions, one queue of deliveries, one heap of
 * deadlines, and everything that is stored, in memory.
 *
 * Invariants:
 * 1. Nothing of a connection runs inside another's call: all goes through `deliveries`.
 * 2. Stored things are lost by no fault of the network.
 * 3. When the last connection has left, no timer is pending.
 */
export class Server {
  readonly deliveries: DeliveryQueue<Message>;
  readonly subscribers = new Subscribers();
  readonly deadlines: Deadlines;
  readonly network: FaultyNetwork | undefined;
  readonly blobs = { journal: new StoredBlobs(), work: new StoredBlobs() };
  private readonly clock: Clock;
  private readonly queues = new Map<string, StoredQueue>();
  private readonly carriers = new Map<LogKind, LogCarrier>();
  private readonly buckets = new Map<string, StoredBucket>();
  private connections = 0;

  constructor({ clock, schedule, faults, seed, onError }: ServerOptions) {
    this.clock = clock;
    this.deliveries = new DeliveryQueue(schedule, onError);
    this.deadlines = new Deadlines(clock);
    const { deadlines } = this;
    this.network =
      faults &&
      new FaultyNetwork({ faults, random: seededRandom(seed), clock, deadlines, schedule });
  }

  enter(): void {
    this.connections++;
  }

  leave(): void {
    if (--this.connections === 0) this.deadlines.stop();
  }

  publish(subject: string, payload: Plain, headers = noHeaders): void {
    const receivers = this.subscribers.reachedBy(subject);
    if (receivers.any) receivers.offer(new Message(subject, payload, headers));
  }

  /** A queue that exists keeps its options. */
  queue(pool: string, options: WorkQueueOptions): StoredQueue {
    const { clock, deadlines, network } = this;
    return made(
      this.queues,
      pool,
      () => new StoredQueue({ ...options, pool, clock, deadlines, network }),
    );
  }

  /** The newest of each pool, by pool; the queues are bounded in what they hold, not in what they have lost. */
  deadLetters(): readonly PoolDeadLetter[] {
    const pools = [...this.queues].toSorted(([a], [b]) => (a < b ? -1 : 1));
    return pools
      .flatMap(([pool, queue]) => queue.deadLetters().map((letter) => ({ ...letter, pool })))
      .slice(-maxListedLetters);
  }

  log(kind: LogKind, name: string): StoredLog {
    return made(this.carriers, kind, () => new LogCarrier()).log(name);
  }

  logs(kind: LogKind): readonly string[] {
    return this.carriers.get(kind)?.names() ?? [];
  }

  /** A bucket that exists keeps its options. */
  bucket(name: string, options: KeyBucketOptions): StoredBucket {
    return made(this.buckets, name, () => {
      const { republish } = options;
      const republished =
        republish === undefined
          ? undefined
          : (key: string, value: Plain) => this.publish(`${republish}.${key}`, value);
      return new StoredBucket({ ...options, clock: this.clock, republished });
    });
  }
}

function made<K, V>(known: Map<K, V>, key: K, make: () => V): V {
  let value = known.get(key);
  if (value === undefined) {
    value = make();
    known.set(key, value);
  }
  return value;
}
