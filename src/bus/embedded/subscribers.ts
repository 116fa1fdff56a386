import type { BusMessage, SubscribeOptions } from '../bus.ts';
import { SubjectTrie } from './subject-trie.ts';

/** One interest. `pending` counts deliveries that wait in the queue. */
export interface Subscriber {
  readonly pattern: string;
  readonly queue: string | undefined;
  readonly handler: (message: BusMessage) => void | Promise<void>;
  active: boolean;
  pending: number;
}

/** Who gets a message: every single, and one member of each group. */
export interface Receivers {
  readonly singles: readonly Subscriber[];
  readonly groups: readonly QueueGroup[];
}

/** Members of one queue group that a subject reaches; they take turns. */
export class QueueGroup {
  private readonly members: readonly Subscriber[];
  private turn: number;

  /** @param turn where to begin, so that a change of subscriptions does not favour the first member. */
  constructor(members: readonly Subscriber[], turn: number) {
    this.members = members;
    this.turn = turn;
  }

  /** The next member that is still subscribed; undefined when none is left. */
  pick(): Subscriber | undefined {
    for (let tries = 0; tries < this.members.length; tries++) {
      const member = this.members[this.turn++ % this.members.length];
      if (member?.active) return member;
    }
    return undefined;
  }
}

const cachedSubjects = 4_096;

/**
 * The subscriptions of a bus, and for each subject in use whom it reaches.
 *
 * Invariants:
 * 1. The cache holds nothing that an added or removed subscription could have changed: both empty it.
 * 2. A removed subscriber is inactive from that moment, also where a delivery already waits.
 */
export class Subscribers {
  private readonly trie = new SubjectTrie<Subscriber>();
  private readonly cache = new Map<string, Receivers>();
  private lookups = 0;

  add(
    pattern: string,
    handler: (message: BusMessage) => void | Promise<void>,
    options: SubscribeOptions,
  ): Subscriber {
    const subscriber = { pattern, handler, queue: options.queue, active: true, pending: 0 };
    this.trie.add(pattern, subscriber);
    this.cache.clear();
    return subscriber;
  }

  remove(subscriber: Subscriber): void {
    if (!subscriber.active) return;
    subscriber.active = false;
    this.trie.delete(subscriber.pattern, subscriber);
    this.cache.clear();
  }

  /** Whom a subject reaches; the subject is known to be valid when it was asked for before. */
  reachedBy(subject: string, validate: (subject: string) => void): Receivers {
    const known = this.cache.get(subject);
    if (known) return known;
    validate(subject);
    const receivers = sortOut(this.trie.match(subject), this.lookups++);
    if (this.cache.size >= cachedSubjects) this.cache.clear();
    this.cache.set(subject, receivers);
    return receivers;
  }
}

/** Whether there is anybody at all. */
export function anybody(receivers: Receivers): boolean {
  return receivers.singles.length > 0 || receivers.groups.length > 0;
}

/** One entry per group name, whatever patterns its members subscribed by. */
function sortOut(matched: readonly Subscriber[], turn: number): Receivers {
  const singles: Subscriber[] = [];
  const members = new Map<string, Subscriber[]>();
  for (const subscriber of matched) {
    if (subscriber.queue === undefined) singles.push(subscriber);
    else members.set(subscriber.queue, [...(members.get(subscriber.queue) ?? []), subscriber]);
  }
  return { singles, groups: [...members.values()].map((group) => new QueueGroup(group, turn)) };
}
