import { checkSubject } from '../subject-grammar.ts';
import { Interest } from './interest.ts';
import { Receivers } from './receivers.ts';
import { ReceiversCache } from './receivers-cache.ts';
import { SubjectTrie } from './subject-trie.ts';
import type { Subscriber } from './subscriber.ts';

/**
 * The subscriptions of a bus, and for each subject in use whom it reaches.
 *
 * Invariants:
 * 1. What the cache holds under the present version is what a search would find: a change of a pattern with
 *    wildcards makes a new version, a change of one without takes out its own subject, and a subscriber that
 *    joins or leaves an interest which stays changes nothing.
 * 2. Every interest has a subscriber.
 */
export class Subscribers {
  /** Interests without wildcards, by pattern, which is the only subject that they fit. */
  private readonly exact = new Map<string, Interest>();
  private readonly wild = new Map<string, Interest>();
  private readonly trie = new SubjectTrie<Interest>();
  private readonly cache = new ReceiversCache();
  private version = 0;

  add(subscriber: Subscriber): void {
    const { pattern } = subscriber;
    const table = this.tableOf(pattern);
    let interest = table.get(pattern);
    const isNew = interest === undefined;
    interest ??= new Interest(pattern);
    const groupIsNew = interest.join(subscriber);
    if (isNew) {
      table.set(pattern, interest);
      if (table === this.wild) this.trie.add(pattern, interest);
    }
    if (isNew || groupIsNew) this.outdate(interest);
  }

  remove(subscriber: Subscriber): void {
    const { pattern } = subscriber;
    const table = this.tableOf(pattern);
    const interest = table.get(pattern);
    if (!interest) return;
    const groupIsGone = interest.leave(subscriber);
    if (interest.isEmpty) {
      table.delete(pattern);
      if (table === this.wild) this.trie.delete(pattern, interest);
    }
    if (interest.isEmpty || groupIsGone) this.outdate(interest);
  }

  /** Throws TRP_BUS_SUBJECT for a subject that is none; one that is known was looked at before. */
  reachedBy(subject: string): Receivers {
    const known = this.cache.get(subject);
    if (known?.version === this.version) return known;
    if (!known) checkSubject(subject);
    const receivers = new Receivers(this.interestsIn(subject), this.version);
    this.cache.set(subject, receivers);
    return receivers;
  }

  private interestsIn(subject: string): readonly Interest[] {
    const found = this.wild.size > 0 ? this.trie.match(subject) : [];
    const exact = this.exact.get(subject);
    if (exact) found.push(exact);
    return found;
  }

  private tableOf(pattern: string): Map<string, Interest> {
    return hasWildcard(pattern) ? this.wild : this.exact;
  }

  private outdate({ pattern }: Interest): void {
    if (hasWildcard(pattern)) this.version++;
    else this.cache.delete(pattern);
  }
}

/** In a valid pattern these two stand for nothing else. */
function hasWildcard(pattern: string): boolean {
  return pattern.includes('*') || pattern.endsWith('>');
}
