import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Members } from '../../../src/bus/embedded/interest.ts';
import { Message } from '../../../src/bus/embedded/message.ts';
import { Receivers } from '../../../src/bus/embedded/receivers.ts';
import { ReceiversCache } from '../../../src/bus/embedded/receivers-cache.ts';
import { SubjectTrie } from '../../../src/bus/embedded/subject-trie.ts';
import { Subscriber } from '../../../src/bus/embedded/subscriber.ts';
import type { SubscriberHome } from '../../../src/bus/embedded/subscriber.ts';
import { Subscribers } from '../../../src/bus/embedded/subscribers.ts';
import { subjectMatches } from '../../../src/bus/subject-grammar.ts';

const token = fc.constantFrom('a', 'b', 'c');
const wildToken = fc.constantFrom('a', 'b', 'c', '*');

function subjectsOf(maxLength: number): fc.Arbitrary<string> {
  return fc.array(token, { minLength: 1, maxLength }).map((tokens) => tokens.join('.'));
}

function patternsOf(maxLength: number): fc.Arbitrary<string> {
  const tokens = fc.array(wildToken, { minLength: 1, maxLength });
  const pattern = fc
    .tuple(tokens, fc.boolean())
    .map(([parts, rest]) => [...parts, ...(rest ? ['>'] : [])].join('.'));
  return fc.oneof({ weight: 5, arbitrary: pattern }, fc.constant('>'));
}

describe('the subject trie', () => {
  it('finds what a look at every pattern finds, whatever was added and removed', () => {
    const steps = fc.array(fc.tuple(fc.boolean(), patternsOf(3)), { maxLength: 30 });
    fc.assert(
      fc.property(steps, fc.array(subjectsOf(4)), (changes, asked) => {
        const trie = new SubjectTrie<string>();
        const held = new Set<string>();
        for (const [adds, pattern] of changes) {
          trie[adds ? 'add' : 'delete'](pattern, pattern);
          held[adds ? 'add' : 'delete'](pattern);
        }
        for (const subject of asked) {
          const expected = [...held].filter((pattern) => subjectMatches(pattern, subject));
          expect(trie.match(subject).sort()).toEqual(expected.sort());
        }
        for (const pattern of held) trie.delete(pattern, pattern);
        expect(trie.isEmpty).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});

type Change =
  | { readonly type: 'add'; readonly pattern: string; readonly queue: string | undefined }
  | { readonly type: 'remove'; readonly index: number }
  | { readonly type: 'publish'; readonly subject: string };

const changes: fc.Arbitrary<Change> = fc.oneof(
  fc.record({
    type: fc.constant('add' as const),
    pattern: patternsOf(1),
    queue: fc.constantFrom(undefined, undefined, 'g', 'h'),
  }),
  fc.record({ type: fc.constant('remove' as const), index: fc.nat(30) }),
  fc.record({ type: fc.constant('publish' as const), subject: subjectsOf(2) }),
);

describe('the subscriptions of a bus', () => {
  it('reach exactly whom a naive search reaches, whatever the cache held before', () => {
    fc.assert(
      fc.property(fc.array(changes, { maxLength: 60 }), (story) => {
        const subscribers = new Subscribers();
        const reached: Subscriber[] = [];
        const members: Subscriber[] = [];
        for (const change of story) {
          if (change.type === 'add') {
            const member = subscriber(change.pattern, change.queue, reached);
            members.push(member);
            subscribers.add(member);
          } else if (change.type === 'remove') {
            const [gone] = members.splice(change.index % Math.max(1, members.length), 1);
            if (gone) subscribers.remove(gone);
          } else {
            reached.length = 0;
            const receivers = subscribers.reachedBy(change.subject);
            receivers.offer(new Message(change.subject, null, {}));
            expectNaive(members, change.subject, reached);
            expect(receivers.any).toBe(reached.length > 0);
          }
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('give every member of a group its turn', () => {
    const subscribers = new Subscribers();
    const reached: Subscriber[] = [];
    const members = ['a', 'a', '*', 'a.>', '>'].map((pattern) => subscriber(pattern, 'g', reached));
    for (const member of members) subscribers.add(member);
    for (let n = 0; n < 40; n++) subscribers.reachedBy('a').offer(new Message('a', n, {}));
    const fitting = members.filter(({ pattern }) => pattern !== 'a.>');
    expect(fitting.map((member) => reached.filter((each) => each === member).length)).toEqual([
      10, 10, 10, 10,
    ]);
  });
});

function subscriber(pattern: string, queue: string | undefined, reached: Subscriber[]): Subscriber {
  const ignore = (): void => undefined;
  const home: SubscriberHome = {
    carry: (receiver) => void reached.push(receiver),
    passOn: ignore,
    report: ignore,
    lost: ignore,
  };
  const options = { pattern, queue, handler: ignore, maxPending: Infinity, sequential: false };
  return new Subscriber(options, home);
}

/** All singles that fit, and one member of each group that has one. */
function expectNaive(
  members: readonly Subscriber[],
  subject: string,
  reached: readonly Subscriber[],
): void {
  const fitting = members.filter(({ pattern }) => subjectMatches(pattern, subject));
  const singles = fitting.filter(({ queue }) => queue === undefined);
  expect(new Set(reached.filter(({ queue }) => queue === undefined))).toEqual(new Set(singles));
  const groups = new Set(fitting.flatMap(({ queue }) => queue ?? []));
  expect(reached).toHaveLength(singles.length + groups.size);
  for (const group of groups) {
    const picked = reached.filter(({ queue }) => queue === group);
    expect(picked).toHaveLength(1);
    expect(fitting).toContain(picked[0]);
  }
}

describe('the members of an interest', () => {
  it('are those who joined and have not left', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(7), { minLength: 20, maxLength: 60 }), (story) => {
        const known = Array.from({ length: 8 }, () => subscriber('a', undefined, []));
        const members = new Members();
        const inside = new Set<Subscriber>();
        for (const index of story) {
          const one = known[index] as Subscriber;
          members[inside.has(one) ? 'leave' : 'join'](one);
          if (!inside.delete(one)) inside.add(one);
          expect(members.members).toHaveLength(inside.size);
          expect(new Set(members.members)).toEqual(inside);
        }
      }),
    );
  });
});

describe('the cache of receivers', () => {
  const receivers = new Receivers([], 0);

  it('keeps ten thousand subjects that are in use, while others come once', () => {
    const cache = new ReceiversCache();
    const live = Array.from({ length: 10_000 }, (_, n) => `live.${n}`);
    for (const subject of live) cache.set(subject, receivers);
    let missed = 0;
    for (let n = 0; n < 200_000; n++) {
      if (n % 4 === 0) cache.set(`once.${n}`, receivers);
      const subject = live[n % live.length] as string;
      if (!cache.get(subject)) {
        missed++;
        cache.set(subject, receivers);
      }
    }
    expect(missed).toBe(0);
    expect(cache.size).toBeLessThanOrEqual(32_768);
  });

  it('does not grow with subjects that come once, and gives up keeping them', () => {
    const cache = new ReceiversCache();
    let kept = 0;
    for (let n = 0; n < 300_000; n++) {
      cache.set(`once.${n}`, receivers);
      if (cache.get(`once.${n}`)) kept++;
      if (n % 1_000 === 0) expect(cache.size).toBeLessThanOrEqual(32_768);
    }
    expect(kept).toBeLessThan(150_000);
  });

  it('forgets what it is told to, in either generation', () => {
    const cache = new ReceiversCache();
    cache.set('first', receivers);
    for (let n = 0; n < 16_384; n++) cache.set(`s.${n}`, receivers);
    cache.delete('first');
    cache.delete('s.16383');
    expect([cache.get('first'), cache.get('s.16383')]).toEqual([undefined, undefined]);
    expect(cache.get('s.0')).toBe(receivers);
  });
});
