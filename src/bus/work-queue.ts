import type { Plain } from '../core/plain.ts';

/** Priority levels of a queue: `p0` (priority 9-10), `p1` (7-8), `p2` (4-6), `p3` (1-3). */
export const workLevels = ['p0', 'p1', 'p2', 'p3'] as const;

/** One of the four levels; a lower number goes first. */
export type WorkLevel = (typeof workLevels)[number];

/** How a queue treats its items. A queue that exists keeps what it was made with. */
export interface WorkQueueOptions {
  /** Time that a consumer has for an item before it goes to another, `inProgress` starts it anew. Default 30 s. */
  readonly ackWaitMs?: number;
  /** Deliveries of one item, after which it is a dead letter. Default 5. */
  readonly maxDeliveries?: number;
  /** An item with an id that was added this long ago or less is not added again. Default 2 min. */
  readonly dedupeWindowMs?: number;
  /** Items that may be with consumers at one time, over all of them. Default 1,000. */
  readonly maxInFlight?: number;
  /** Items that may wait; more are refused with TRP_BUS_FULL. Default 100,000. */
  readonly maxWaiting?: number;
}

/** How an item is added. */
export interface AddOptions {
  /** Identity of the item for deduplication: an operation id with the attempt. */
  readonly id: string;
  /** Default p2. */
  readonly level?: WorkLevel;
  readonly headers?: { readonly [name: string]: string };
}

/** What became of an added item. */
export interface Added {
  /** True: an item of that id is known already, and nothing was added. */
  readonly duplicate: boolean;
}

/** How an item is pulled. */
export interface PullOptions {
  /** How long to wait for an item. Default 0: what is there now. */
  readonly waitMs?: number;
  /** Ends the wait; an item that was on its way goes back to the queue. */
  readonly signal?: AbortSignal;
}

/**
 * An item in the hands of one consumer until it is acknowledged, given back, or its time is over. The
 * verbs resolve when the queue knows, and reject with TRP_BUS_NOT_HELD when the item has meanwhile gone
 * to somebody else or is settled.
 */
export interface WorkItem {
  readonly id: string;
  readonly level: WorkLevel;
  readonly payload: Plain;
  readonly headers: { readonly [name: string]: string };
  /** How often it was delivered, this time included; 1 for the first. */
  readonly deliveries: number;
  /** Done: it is gone for good. */
  ack(): Promise<void>;
  /** Given back: it is delivered again, after the delay. Default 0. */
  nak(delayMs?: number): Promise<void>;
  /** Still at work: its time starts anew. */
  inProgress(): Promise<void>;
  /** Never deliver it again: it becomes a dead letter with this reason. */
  term(reason: string): Promise<void>;
}

/** An item that nobody could work on. */
export interface DeadLetter {
  /** Names it in {@link WorkQueue.forget}. */
  readonly seq: number;
  readonly id: string;
  readonly level: WorkLevel;
  readonly payload: Plain;
  readonly headers: { readonly [name: string]: string };
  readonly deliveries: number;
  readonly reason: string;
}

/** A dead letter of one of the queues of a bus. */
export interface PoolDeadLetter extends DeadLetter {
  readonly pool: string;
}

/** Dead letters of a bus that are listed, the newest; a queue lists all of its own. */
export const maxListedLetters = 10_000;

/** How full a queue is. */
export interface QueueDepth {
  /** Items that nobody has, by level; those that wait for a delay included. */
  readonly waiting: { readonly [level in WorkLevel]: number };
  /** Items with consumers. */
  readonly inFlight: number;
  readonly deadLetters: number;
}

/**
 * The work of one pool, shared by any number of consumers: an item goes to one of them at a time, is
 * delivered at least once, and again when its consumer is silent for `ackWaitMs`. Strict priority: a pull
 * gets an item of the lowest-numbered level that has one; within a level in order of adding, redelivered
 * items in no fixed place.
 */
export interface WorkQueue {
  readonly pool: string;
  /** Resolves when the queue holds the item. Rejects with TRP_BUS_FULL. */
  add(payload: Plain, options: AddOptions): Promise<Added>;
  /** The next item; undefined when there is none in time. */
  pull(options?: PullOptions): Promise<WorkItem | undefined>;
  depth(): Promise<QueueDepth>;
  /** In order of their deaths. */
  deadLetters(): Promise<readonly DeadLetter[]>;
  /** Removes a dead letter. False: there is none of that number. */
  forget(seq: number): Promise<boolean>;
}
