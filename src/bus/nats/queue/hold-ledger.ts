import { nuid } from 'nats';
import type { WorkLevel } from '../../work-queue.ts';
import type { JetStream } from '../jetstream.ts';
import { wireHeaders } from '../message-headers.ts';
import { streamInfo } from '../streams.ts';
import { purgeSubject } from '../stream-subjects.ts';
import { freePattern, freeSubject, holdPattern, holdSubject } from './queue-streams.ts';

/** What is known of an item that was delivered: somebody has it, gave it back, is done with it, or it is dead. */
export interface HoldRecord {
  readonly state: 'held' | 'free' | 'done' | 'dead';
  /** Who wrote this: a name that nobody else has. */
  readonly holder: string;
  readonly deliveries: number;
  /** Why it is dead. */
  readonly reason?: string;
}

/** A record, and the number to write the next one behind. */
export interface WrittenHold {
  readonly record: HoldRecord;
  readonly revision: number;
}

/** Names an item: its id, and where it stands in the stream of items. */
export interface ItemName {
  readonly id: string;
  readonly seq: number;
  readonly level: WorkLevel;
}

/** How many items of each level were given back and are not delivered again yet. */
export type FreeCounts = { readonly [level in WorkLevel]: number };

/**
 * Who holds which item. A server takes an acknowledgement from anybody who ever had the item, and may forget after
 * a crash that it was acknowledged; here both are decided by writing behind an expected record.
 *
 * Invariants:
 * 1. A record is written behind the one that its writer knows, or not at all.
 * 2. Behind `done` and `dead` nothing is written.
 */
export class HoldLedger {
  private readonly js: JetStream;
  private readonly stream: string;
  private readonly pool: string;

  constructor(js: JetStream, stream: string, pool: string) {
    this.js = js;
    this.stream = stream;
    this.pool = pool;
  }

  /** The last record of an item; undefined when there is none, or it is too old. */
  async last(item: ItemName): Promise<WrittenHold | undefined> {
    return this.read(holdSubject(this.js.link.ns, this.pool, item));
  }

  /** The last record of any item with the id. */
  async lastOfId(id: string): Promise<WrittenHold | undefined> {
    return this.read(holdPattern(this.js.link.ns, this.pool, id));
  }

  /** The number of the record. Rejects with TRP_BUS_CONFLICT when there is another behind `revision`. */
  async write(item: ItemName, record: HoldRecord, revision: number): Promise<number> {
    const stored = await this.js.publish({
      stream: this.stream,
      subject: holdSubject(this.js.link.ns, this.pool, item),
      data: new TextEncoder().encode(JSON.stringify(record)),
      headers: wireHeaders({}, {}),
      id: nuid.next(),
      expectedSeq: revision,
    });
    return stored.seq;
  }

  /** Marks an item as given back, for those who count. */
  async markFree(item: ItemName): Promise<void> {
    await this.js.publish({
      stream: this.stream,
      subject: freeSubject(this.js.link.ns, this.pool, item),
      data: new Uint8Array(),
      headers: wireHeaders({}, {}),
      id: nuid.next(),
    });
  }

  async unmarkFree(item: ItemName): Promise<void> {
    await purgeSubject(this.js, this.stream, freeSubject(this.js.link.ns, this.pool, item));
  }

  /** Counts what is marked as given back. */
  async free(): Promise<FreeCounts> {
    const counts = { p0: 0, p1: 0, p2: 0, p3: 0 };
    const pattern = freePattern(this.js.link.ns, this.pool);
    const info = await streamInfo(this.js, this.stream, pattern);
    for (const subject of Object.keys(info?.state.subjects ?? {})) {
      const level = subject.split('.').at(-2) as WorkLevel;
      counts[level]++;
    }
    return counts;
  }

  private async read(subject: string): Promise<WrittenHold | undefined> {
    const message = await this.js.message(this.stream, { last_by_subj: subject });
    if (!message) return undefined;
    const record = JSON.parse(Buffer.from(message.data).toString()) as HoldRecord;
    return { record, revision: message.seq };
  }
}
