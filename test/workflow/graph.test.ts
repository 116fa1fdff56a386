import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseBytes } from '../../src/workflow/bytes.ts';
import { editDistance, nearestName } from '../../src/workflow/distance.ts';
import { patternsOverlap } from '../../src/workflow/key-patterns.ts';
import { Reach } from '../../src/workflow/reach.ts';
import { findCycles, waitingOrder } from '../../src/workflow/waiting.ts';

const graphs = fc.integer({ min: 1, max: 12 }).chain((size) =>
  fc.array(fc.tuple(fc.nat(size - 1), fc.nat(size - 1)), { maxLength: 25 }).map((edges) => {
    const waiting = new Map<string, string[]>();
    for (let node = 0; node < size; node++) waiting.set(`n${node}`, []);
    for (const [from, to] of edges) waiting.get(`n${from}`)?.push(`n${to}`);
    return waiting;
  }),
);

/** Reachability by brute force: Warshall's closure. */
function closureOf(waiting: ReadonlyMap<string, readonly string[]>): ReadonlySet<string> {
  const ids = [...waiting.keys()];
  const reached = new Set(ids.flatMap((id) => (waiting.get(id) ?? []).map((on) => `${id} ${on}`)));
  const pairs = ids.flatMap((from) => ids.map((to) => [from, to] as const));
  for (const via of ids) {
    for (const [from, to] of pairs) {
      if (reached.has(`${from} ${via}`) && reached.has(`${via} ${to}`))
        reached.add(`${from} ${to}`);
    }
  }
  return reached;
}

describe('Reach', () => {
  it('agrees with the transitive closure, with circles or without', () => {
    fc.assert(
      fc.property(graphs, (waiting) => {
        const closure = closureOf(waiting);
        const reach = new Reach(waiting);
        for (const from of waiting.keys()) {
          for (const to of waiting.keys())
            expect(reach.waits(from, to)).toBe(closure.has(`${from} ${to}`));
        }
      }),
    );
  });
});

describe('findCycles', () => {
  it('finds a real circle exactly when somebody waits for itself', () => {
    fc.assert(
      fc.property(graphs, (waiting) => {
        const closure = closureOf(waiting);
        const cycles = findCycles(waiting);
        expect(cycles.length > 0).toBe(
          [...waiting.keys()].some((id) => closure.has(`${id} ${id}`)),
        );
        for (const cycle of cycles) {
          expect(cycle[0]).toBe(cycle.at(-1));
          for (const [index, id] of cycle.slice(1).entries())
            expect(waiting.get(cycle[index] ?? '')).toContain(id);
        }
      }),
    );
  });

  it('walks a chain of any length', () => {
    const chain = new Map(
      Array.from({ length: 100_000 }, (_, i) => [`n${i}`, i === 0 ? [] : [`n${i - 1}`]]),
    );
    expect(findCycles(chain)).toEqual([]);
    expect(waitingOrder(chain)).toHaveLength(100_000);
  });
});

describe('editDistance', () => {
  it.each([
    ['', '', 0],
    ['a', '', 1],
    ['abc', 'abc', 0],
    ['needs', 'need', 1],
    ['tiemout', 'timeout', 1],
    ['kitten', 'sitting', 3],
  ])('of %j and %j is %d', (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
  });

  it('is symmetric, and zero only between equals', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 10 }), fc.string({ maxLength: 10 }), (a, b) => {
        expect(editDistance(a, b)).toBe(editDistance(b, a));
        expect(editDistance(a, b) === 0).toBe(a === b);
      }),
    );
  });
});

describe('nearestName', () => {
  it.each([
    ['tiemout', 'timeout'],
    ['Needs', 'needs'],
    ['xyzzy', undefined],
    ['retry_failed', undefined],
  ])('of %s is %s', (name, expected) => {
    expect(nearestName(name, ['needs', 'timeout', 'retry', 'priority'])).toBe(expected);
  });
});

describe('patternsOverlap', () => {
  it.each([
    ['a.b', 'a.b', true],
    ['a.b', 'a.c', false],
    ['a.b', 'a', false],
    ['a.*', 'a.b.c', true],
    ['a.>', 'a.b', true],
    ['a.*', 'a', false],
    ['*.b', 'a.b', true],
    ['*.b', 'a.*', true],
    ['*.b.c', 'a.x.*', false],
    ['>', 'a', true],
    ['*', 'a.b', false],
  ])('of %s and %s is %s, either way', (a, b, expected) => {
    expect(patternsOverlap(a, b)).toBe(expected);
    expect(patternsOverlap(b, a)).toBe(expected);
  });
});

describe('parseBytes', () => {
  it.each([
    ['8MB', 8 * 1024 ** 2],
    ['64 KiB', 65_536],
    [100, 100],
    ['1gb', 1024 ** 3],
    ['5 apples', undefined],
    ['-1', undefined],
    ['1.5MB', undefined],
  ])('reads %s', (value, bytes) => {
    expect(parseBytes(value)).toBe(bytes);
  });
});
