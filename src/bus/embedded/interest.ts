import type { Subscriber } from './subscriber.ts';

/**
 * Subscribers that a message goes to all of, or one of. Joining and leaving are O(1), in no fixed order.
 *
 * Invariant: `members[n].slot` is n.
 */
export class Members {
  readonly members: Subscriber[] = [];

  join(subscriber: Subscriber): void {
    subscriber.slot = this.members.length;
    this.members.push(subscriber);
  }

  /** The last one takes the place that becomes free. */
  leave(subscriber: Subscriber): void {
    const last = this.members.pop();
    if (!last || last === subscriber) return;
    this.members[subscriber.slot] = last;
    last.slot = subscriber.slot;
  }
}

const noGroups: ReadonlyMap<string, Members> = new Map();

/**
 * All subscribers of one pattern.
 *
 * Invariant: every group has a member.
 */
export class Interest {
  readonly pattern: string;
  readonly singles = new Members();
  /** By name; made when the first comes, since few patterns have any. */
  private known: Map<string, Members> | undefined;

  constructor(pattern: string) {
    this.pattern = pattern;
  }

  get groups(): ReadonlyMap<string, Members> {
    return this.known ?? noGroups;
  }

  get isEmpty(): boolean {
    return this.singles.members.length === 0 && this.groups.size === 0;
  }

  /** Whether a group has come into being, which those who know the groups must hear of. */
  join(subscriber: Subscriber): boolean {
    if (subscriber.queue === undefined) {
      this.singles.join(subscriber);
      return false;
    }
    this.known ??= new Map();
    const known = this.known.get(subscriber.queue);
    const group = known ?? new Members();
    group.join(subscriber);
    this.known.set(subscriber.queue, group);
    return known === undefined;
  }

  /** Whether a group has ceased to be. */
  leave(subscriber: Subscriber): boolean {
    if (subscriber.queue === undefined) {
      this.singles.leave(subscriber);
      return false;
    }
    const group = this.known?.get(subscriber.queue);
    group?.leave(subscriber);
    return group?.members.length === 0 && this.known?.delete(subscriber.queue) === true;
  }
}
