import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AgingQueue, type AgingEntry } from '../../src/policies/aging-queue.ts';

const periodMs = 10;

/** What sorting says comes first. */
function firstOf(entries: readonly AgingEntry[], now: number): AgingEntry | undefined {
  const periods = (entry: AgingEntry): number => Math.floor((now - entry.at) / periodMs);
  return entries.toSorted(
    (a, b) => periods(b) - periods(a) || b.rank - a.rank || a.sequence - b.sequence,
  )[0];
}

const changes = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('add' as const),
        afterMs: fc.nat(4),
        rank: fc.nat(5),
      }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('remove' as const), which: fc.nat() }) },
    {
      weight: 3,
      arbitrary: fc.record({ do: fc.constant('take head' as const), afterMs: fc.nat(3) }),
    },
  ),
  { maxLength: 300, size: 'max' },
);

test('the head is what sorting all entries would put first, through any adds and removes', () => {
  fc.assert(
    fc.property(changes, fc.boolean(), (history, drain) => {
      const queue = new AgingQueue<AgingEntry>(periodMs);
      let entries: AgingEntry[] = [];
      let now = 0;
      const remove = (entry: AgingEntry): void => {
        queue.remove(entry);
        entries = entries.filter((other) => other !== entry);
      };
      for (const [sequence, change] of history.entries()) {
        if (change.do === 'add') {
          now += change.afterMs;
          const entry = { at: now, rank: change.rank, sequence, slot: -1 };
          queue.add(entry);
          entries.push(entry);
        } else if (change.do === 'remove') {
          const entry = entries[change.which % entries.length];
          if (entry) remove(entry);
        } else {
          now += change.afterMs;
          const head = queue.head(now);
          if (head) remove(head);
        }
        expect(queue.head(now)).toBe(firstOf(entries, now));
        expect(queue.size).toBe(entries.length);
        expect(queue.oldest()).toBe(entries.toSorted((a, b) => a.sequence - b.sequence)[0]);
      }
      while (drain && entries.length > 0) remove(queue.head(now) as AgingEntry);
    }),
    { numRuns: 200 },
  );
});

test('without periods only rank and arrival decide', () => {
  const queue = new AgingQueue<AgingEntry>(Infinity);
  queue.add({ at: 0, rank: 1, sequence: 0, slot: -1 });
  queue.add({ at: 1000, rank: 2, sequence: 1, slot: -1 });
  expect(queue.head(1e9)?.sequence).toBe(1);
});

test('ten thousand entries leave in order while the tree shrinks', () => {
  const queue = new AgingQueue<AgingEntry>(periodMs);
  for (let sequence = 0; sequence < 10_000; sequence++) {
    queue.add({ at: sequence >> 8, rank: 0, sequence, slot: -1 });
  }
  const left: number[] = [];
  for (let head = queue.head(50); head; head = queue.head(50)) {
    left.push(head.sequence);
    queue.remove(head);
  }
  expect(left).toEqual(Array.from({ length: 10_000 }, (_, index) => index));
});
