import { nuid } from 'nats';
import type { Plain } from '../../core/plain.ts';
import { encode } from '../codec.ts';
import { checkedPayload } from '../payload.ts';
import { workSubject } from '../subjects.ts';
import { workLevels } from '../work-queue.ts';
import type {
  Added,
  AddOptions,
  DeadLetter,
  PoolDeadLetter,
  PullOptions,
  QueueDepth,
  WorkItem,
  WorkLevel,
  WorkQueue,
  WorkQueueOptions,
} from '../work-queue.ts';
import { closedError } from './client-errors.ts';
import { JetStream } from './jetstream.ts';
import type { JetStreamOptions, Publication } from './jetstream.ts';
import type { NatsLink } from './link.ts';
import { driverPrefix, encodedText, wireHeaders } from './message-headers.ts';
import { deathBytes, idHeader, listDeadLetters } from './queue/dead-letters.ts';
import { openPool } from './queue/open-pool.ts';
import type { OpenPool } from './queue/open-pool.ts';
import { consumerInfo } from './queue/consumers.ts';
import { Room } from './queue/room.ts';
import { UnsureAdds } from './queue/unsure-adds.ts';
import { Readings } from './readings.ts';
import { Streams } from './streams.ts';

/** The work queues of one bus. */
export interface WorkQueues {
  open(pool: string, options?: WorkQueueOptions): Promise<WorkQueue>;
  /** Of all pools, as `Bus.deadLetters` has them. */
  deadLetters(): Promise<readonly PoolDeadLetter[]>;
  /** Ends all pulls. */
  close(): Promise<void>;
}

/** Work queues on JetStream: one stream for all, a durable consumer per pool and level. */
export function createWorkQueues(link: NatsLink, options?: JetStreamOptions): WorkQueues {
  const js = new JetStream(link, options);
  const shared = { js, readings: new Readings(js), streams: new Streams(js) };
  const open = new Map<string, Promise<StreamQueue>>();
  let closed = false;
  return {
    open: (pool, queueOptions) => {
      if (closed) return Promise.reject(closedError());
      const known = open.get(pool);
      if (known) return known;
      const made = openPool(shared, pool, queueOptions).then((parts) => new StreamQueue(parts));
      open.set(pool, made);
      made.catch(() => open.delete(pool));
      return made;
    },
    deadLetters: () => listDeadLetters(shared),
    close: async () => {
      closed = true;
      shared.readings.close();
      for (const queue of open.values()) (await queue.catch(() => undefined))?.close();
    },
  };
}

/** Marks the call that an item was added by, so that a repetition knows its own. */
const addHeader = `${driverPrefix}Add`;

/**
 * The queue of one pool.
 *
 * Invariant: an item is in the stream of items, or its last record says that it is done, or it is a dead letter.
 */
class StreamQueue implements WorkQueue {
  readonly pool: string;
  private readonly options: OpenPool;
  private readonly room: Room;
  private readonly unsure = new UnsureAdds();

  constructor(options: OpenPool) {
    this.options = options;
    const { pool, js, settings } = options.parts;
    this.pool = pool;
    this.room = new Room({
      link: js.link,
      pool,
      maxWaiting: settings.maxWaiting,
      countWaiting: async () => {
        const { waiting } = await this.counts();
        return workLevels.reduce((sum, level) => sum + waiting[level], 0);
      },
    });
  }

  async add(payload: Plain, options: AddOptions): Promise<Added> {
    const { id, level = 'p2', headers = {} } = options;
    const { js } = this.options.parts;
    const token = nuid.next();
    const publication: Publication = {
      stream: this.options.stream,
      subject: workSubject(js.link.ns, this.pool, level),
      data: encode(checkedPayload(payload)),
      headers: wireHeaders(headers, { [idHeader]: encodedText(id), [addHeader]: token }),
      id: `${encodedText(this.pool)}/${encodedText(id)}`,
      reserveBytes: deathBytes,
      resent: this.unsure.has(id),
      readBack: () => this.settledAs(id),
    };
    return this.unsure.watch(id, () => this.room.use(() => this.store(publication, token)));
  }

  pull(options: PullOptions = {}): Promise<WorkItem | undefined> {
    return this.options.puller.pull(options);
  }

  async depth(): Promise<QueueDepth> {
    const [counts, deadLetters] = await Promise.all([
      this.counts(),
      this.options.parts.letters.count(),
    ]);
    return { ...counts, deadLetters };
  }

  deadLetters(): Promise<readonly DeadLetter[]> {
    return this.options.parts.letters.list();
  }

  forget(seq: number): Promise<boolean> {
    return this.options.parts.letters.forget(seq);
  }

  close(): void {
    this.options.close();
  }

  private async store(publication: Publication, token: string): Promise<Added> {
    const { js } = this.options.parts;
    const { seq, duplicate, repeated } = await js.publish(publication);
    if (!repeated || !duplicate) return { duplicate };
    // It is known: by an earlier sending of this call, or by somebody else's.
    const there = await js.message(publication.stream, { seq });
    return { duplicate: there !== undefined && there.headers.get(addHeader) !== token };
  }

  /** A server that was restarted has forgotten the ids of items that are done; what was written about them has not. */
  private async settledAs(id: string): Promise<number | undefined> {
    return (await this.options.parts.ledger.lastOfId(id))?.revision;
  }

  /** The server counts what was given back as delivered. */
  private async counts(): Promise<Omit<QueueDepth, 'deadLetters'>> {
    const { parts, sources } = this.options;
    const [free, ...infos] = await Promise.all([
      parts.ledger.free(),
      ...sources.map(({ stream, consumer }) => consumerInfo(parts.js, stream, consumer)),
    ]);
    const waiting = { p0: 0, p1: 0, p2: 0, p3: 0 };
    let inFlight = 0;
    for (const [index, { level }] of sources.entries()) {
      const { num_pending: fresh = 0, num_ack_pending: delivered = 0 } = infos[index] ?? {};
      const back = Math.min(free[level], delivered);
      waiting[level as WorkLevel] = fresh + back;
      inFlight += delivered - back;
    }
    return { waiting, inFlight };
  }
}
