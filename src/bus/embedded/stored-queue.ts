import type { Clock } from '../../core/clock.ts';
import type { Deadline, Deadlines } from '../../core/deadlines.ts';
import { TroupeError } from '../../core/errors.ts';
import type { Plain } from '../../core/plain.ts';
import type { Headers } from '../headers.ts';
import { workLevels } from '../work-queue.ts';
import type { Added, DeadLetter, QueueDepth, WorkLevel, WorkQueueOptions } from '../work-queue.ts';
import { fullError } from './bus-errors.ts';
import { DedupeWindow } from './dedupe-window.ts';
import type { Fate, FaultyNetwork } from './faults.ts';
import { Line } from './line.ts';
import type { Linked } from './line.ts';

/** What a {@link StoredQueue} is made of. */
export interface StoredQueueOptions extends WorkQueueOptions {
  readonly pool: string;
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly network: FaultyNetwork | undefined;
}

/** An item as it was added. */
export interface NewItem {
  readonly id: string;
  readonly level: WorkLevel;
  readonly payload: Plain;
  readonly headers: Headers;
}

/** An item and where it is: in its level's line, with a consumer, or waiting for a delay to pass. */
export interface StoredItem extends NewItem, Linked<StoredItem> {
  deliveries: number;
  place: 'ready' | 'delayed' | 'held' | 'gone';
  /** The delivery whose consumer may settle it; 0: none may. */
  holder: number;
  /** Of its delay, or of its consumer's time. */
  deadline: Deadline | undefined;
}

/** Somebody who waits for an item. Stands in the line until served or gone. */
export interface Puller extends Linked<Puller> {
  /** Takes an item into its hands, by the delivery's number. */
  serve(item: StoredItem, delivery: number): void;
}

/** Names one delivery of an item. */
export interface Held {
  readonly item: StoredItem;
  readonly delivery: number;
}

/**
 * The items of one pool.
 *
 * Invariants:
 * 1. An item that is not gone is in exactly one place; `ready` ones stand in the line of their level.
 * 2. Nobody waits in line while an item is ready and fewer than `maxInFlight` are held.
 * 3. An item is held by its newest delivery. A consumer whose time is over may still settle the item as long as
 *    nobody else has been given it.
 * 4. `waiting` counts the items that are ready or delayed, `inFlight` those that are held.
 */
export class StoredQueue {
  readonly pool: string;
  private readonly options: Required<WorkQueueOptions>;
  private readonly clock: Clock;
  private readonly deadlines: Deadlines;
  private readonly network: FaultyNetwork | undefined;
  private readonly ready = byLevel(() => new Line<StoredItem>());
  private readonly waiting = byLevel(() => 0);
  private readonly pullers = new Line<Puller>();
  private readonly known: DedupeWindow;
  private readonly dead = new Map<number, DeadLetter>();
  private inFlight = 0;
  private lastDeath = 0;

  constructor({ pool, clock, deadlines, network, ...options }: StoredQueueOptions) {
    this.pool = pool;
    this.clock = clock;
    this.deadlines = deadlines;
    this.network = network;
    this.options = {
      ackWaitMs: options.ackWaitMs ?? 30_000,
      maxDeliveries: options.maxDeliveries ?? 5,
      dedupeWindowMs: options.dedupeWindowMs ?? 120_000,
      maxInFlight: options.maxInFlight ?? 1_000,
      maxWaiting: options.maxWaiting ?? 100_000,
    };
    this.known = new DedupeWindow(this.options.dedupeWindowMs);
  }

  /** Throws TRP_BUS_FULL. */
  add(added: NewItem): Added {
    const now = this.clock.now();
    if (this.known.has(added.id, now)) return { duplicate: true };
    const { maxWaiting } = this.options;
    if (this.countWaiting() >= maxWaiting) throw fullError(`The queue ${this.pool}`, maxWaiting);
    this.known.add(added.id, now);
    const item: StoredItem = { ...added, ...fresh };
    this.waiting[item.level]++;
    this.ready[item.level].push(item);
    this.serve();
    return { duplicate: false };
  }

  /** Lets somebody wait for an item; served before this returns when there is one. */
  enter(puller: Puller): void {
    this.pullers.push(puller);
    this.serve();
  }

  /** Somebody waits no more. */
  leave(puller: Puller): void {
    this.pullers.remove(puller);
  }

  /** Done. Throws TRP_BUS_NOT_HELD, as the next three. */
  ack(held: Held): void {
    this.take(held).place = 'gone';
    this.serve();
  }

  nak(held: Held, delayMs: number): void {
    const item = this.take(held);
    if (item.deliveries >= this.options.maxDeliveries) this.bury(item, exhausted(item));
    else if (delayMs > 0) this.delay(item, delayMs);
    else this.putBack(item);
    this.serve();
  }

  inProgress(held: Held): void {
    const item = this.take(held);
    this.give(item, held.delivery);
  }

  term(held: Held, reason: string): void {
    this.bury(this.take(held), reason);
    this.serve();
  }

  /** An item that was on its way to somebody who has gone. */
  returned(held: Held): void {
    if (held.item.holder === held.delivery && held.item.place === 'held')
      this.timeIsOver(held.item);
  }

  depth(): QueueDepth {
    return { waiting: { ...this.waiting }, inFlight: this.inFlight, deadLetters: this.dead.size };
  }

  deadLetters(): readonly DeadLetter[] {
    return [...this.dead.values()];
  }

  forget(seq: number): boolean {
    return this.dead.delete(seq);
  }

  private countWaiting(): number {
    const { p0, p1, p2, p3 } = this.waiting;
    return p0 + p1 + p2 + p3;
  }

  /** Gives items to those who wait, both in order, as long as there are both. */
  private serve(): void {
    while (this.inFlight < this.options.maxInFlight && this.pullers.first) {
      const fate = this.network?.fate() ?? certain;
      const item = this.nextReady(fate.overtaken);
      if (!item) return;
      this.waiting[item.level]--;
      item.deliveries++;
      this.give(item, item.deliveries);
      this.send(item, fate);
    }
  }

  private nextReady(overtaken: boolean): StoredItem | undefined {
    for (const level of workLevels) {
      const line = this.ready[level];
      const first = line.shift();
      if (!first) continue;
      const second = overtaken ? line.shift() : undefined;
      if (second) line.unshift(first);
      return second ?? first;
    }
    return undefined;
  }

  private give(item: StoredItem, delivery: number): void {
    item.place = 'held';
    item.holder = delivery;
    this.inFlight++;
    const due = this.clock.now() + this.options.ackWaitMs;
    item.deadline = this.deadlines.at(due, () => this.timeIsOver(item));
  }

  /** Brings the item to the first in line. What the network loses on the way is held until its time is over. */
  private send(item: StoredItem, { copies, delayMs }: Fate): void {
    if (copies === 0) return;
    const delivery = item.deliveries;
    const puller = this.pullers.shift();
    if (delayMs > 0)
      this.deadlines.at(this.clock.now() + delayMs, () => puller?.serve(item, delivery));
    else puller?.serve(item, delivery);
    // As after an answer that was lost: whoever comes next gets it too.
    if (copies === 2 && delivery < this.options.maxDeliveries) this.timeIsOver(item);
  }

  /** The item out of its consumer's hands, in no place. */
  private take({ item, delivery }: Held): StoredItem {
    if (item.place === 'gone' || item.holder !== delivery) throw notHeldError(item.id);
    this.lift(item);
    item.holder = 0;
    return item;
  }

  private lift(item: StoredItem): void {
    item.deadline?.cancel();
    item.deadline = undefined;
    if (item.place === 'held') this.inFlight--;
    else this.waiting[item.level]--;
    this.ready[item.level].remove(item);
  }

  /** Its consumer keeps the right to settle it until somebody else has it. */
  private timeIsOver(item: StoredItem): void {
    this.lift(item);
    if (item.deliveries >= this.options.maxDeliveries) this.bury(item, exhausted(item));
    else this.putBack(item);
    this.serve();
  }

  /** To the front: it has waited before. */
  private putBack(item: StoredItem): void {
    item.place = 'ready';
    this.waiting[item.level]++;
    this.ready[item.level].unshift(item);
  }

  private delay(item: StoredItem, delayMs: number): void {
    item.place = 'delayed';
    this.waiting[item.level]++;
    item.deadline = this.deadlines.at(this.clock.now() + delayMs, () => {
      this.lift(item);
      this.putBack(item);
      this.serve();
    });
  }

  private bury(item: StoredItem, reason: string): void {
    item.place = 'gone';
    const { id, level, payload, headers, deliveries } = item;
    const seq = ++this.lastDeath;
    this.dead.set(seq, Object.freeze({ seq, id, level, payload, headers, deliveries, reason }));
  }
}

const certain: Fate = { copies: 1, overtaken: false, delayMs: 0 };

const fresh = {
  deliveries: 0,
  place: 'ready',
  holder: 0,
  deadline: undefined,
  before: undefined,
  after: undefined,
  line: undefined,
} as const;

function byLevel<T>(make: () => T): { [level in WorkLevel]: T } {
  return { p0: make(), p1: make(), p2: make(), p3: make() };
}

function exhausted({ deliveries }: StoredItem): string {
  return `delivered ${deliveries} times and never acknowledged`;
}

function notHeldError(id: string): TroupeError {
  return new TroupeError('TRP_BUS_NOT_HELD', `The item ${id} is no longer held.`);
}
