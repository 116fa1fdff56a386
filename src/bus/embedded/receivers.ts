import type { Interest, Members } from './interest.ts';
import type { Message } from './message.ts';
import type { Subscriber } from './subscriber.ts';

/**
 * A queue group as one subject reaches it: its members by whatever patterns they have subscribed. They take turns.
 */
class QueueGroup {
  private readonly parts: Members[] = [];
  private turn: number;

  /** @param turn where to begin, so that a change of subscriptions does not favour the first member. */
  constructor(turn: number) {
    this.turn = turn;
  }

  add(part: Members): void {
    this.parts.push(part);
  }

  pick(): Subscriber | undefined {
    const { parts } = this;
    if (parts.length === 1) return this.pickFrom(parts[0] as Members);
    let size = 0;
    for (const { members } of parts) size += members.length;
    let place = this.turn++ % Math.max(1, size);
    for (const { members } of parts) {
      if (place < members.length) return members[place];
      place -= members.length;
    }
    return undefined;
  }

  private pickFrom({ members }: Members): Subscriber | undefined {
    return members[this.turn++ % members.length];
  }
}

/**
 * Whom messages on one subject reach: all singles of every interest, and one member of each group.
 *
 * Invariant: it holds as long as no interest that fits the subject, and no group in one, comes or goes;
 * subscribers may.
 */
export class Receivers {
  /** Count of the changes of patterns that it was made after. */
  readonly version: number;
  /** Whether there is anybody at all. */
  readonly any: boolean;
  /** Singles of the first interest, held directly: with ten thousand subjects every step costs a cache miss. */
  private readonly first: readonly Subscriber[];
  private readonly others: readonly (readonly Subscriber[])[];
  private readonly groups: ReadonlyMap<string, QueueGroup>;

  constructor(interests: readonly Interest[], version: number) {
    this.version = version;
    this.any = interests.length > 0;
    this.first = interests[0]?.singles.members ?? nobody;
    this.others = interests.length > 1 ? interests.slice(1).map(membersOf) : none;
    this.groups = groupsOf(interests, version);
  }

  offer(message: Message): void {
    for (const subscriber of this.first) subscriber.offer(message);
    for (const singles of this.others) for (const subscriber of singles) subscriber.offer(message);
    if (this.groups.size > 0)
      for (const group of this.groups.values()) group.pick()?.offer(message);
  }

  /** The member of a group whose turn it is. */
  pick(group: string): Subscriber | undefined {
    return this.groups.get(group)?.pick();
  }
}

const none: readonly (readonly Subscriber[])[] = [];
const nobody: readonly Subscriber[] = [];
const noGroups: ReadonlyMap<string, QueueGroup> = new Map();

function groupsOf(interests: readonly Interest[], turn: number): ReadonlyMap<string, QueueGroup> {
  if (interests.every(({ groups }) => groups.size === 0)) return noGroups;
  const found = new Map<string, QueueGroup>();
  for (const { groups } of interests) {
    for (const [name, members] of groups) {
      const group = found.get(name) ?? new QueueGroup(turn);
      group.add(members);
      found.set(name, group);
    }
  }
  return found;
}

function membersOf({ singles }: Interest): readonly Subscriber[] {
  return singles.members;
}
