import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { keyMatches } from '../../src/core/key-pattern.ts';
import type { Plain } from '../../src/core/plain.ts';
import type { MemoryChange } from '../../src/journal/record.ts';
import { RunMemory } from '../../src/memory/run-memory.ts';
import type { CommittedRecord } from '../../src/memory/run-memory.ts';

const committed = (
  seq: number,
  changes: readonly MemoryChange[],
  op = `op-${seq}`,
): CommittedRecord => ({
  type: 'memory.committed',
  seq,
  op,
  changes,
  task: 't',
  agent: 'a',
  base: seq - 1,
  priority: 5,
});

const key = fc.constantFrom('a', 'b', 'a.b', 'a.b.c', 'c');
const change: fc.Arbitrary<MemoryChange> = fc.oneof(
  fc.record({ key, value: fc.integer() }),
  fc.record({ key, deleted: fc.constant(true as const) }),
);
const changesets = fc.array(fc.uniqueArray(change, { selector: (one) => one.key, maxLength: 4 }), {
  maxLength: 12,
});

describe('the memory of a run', () => {
  it('shows a view what was there at its revision, for ever, whatever comes later', () => {
    fc.assert(
      fc.property(changesets, (sets) => {
        const memory = new RunMemory();
        const model = new Map<string, Plain>();
        const checks = sets.map((changes, index) => {
          memory.apply(committed(index + 1, changes));
          for (const one of changes) {
            if ('deleted' in one) model.delete(one.key);
            else model.set(one.key, one.value);
          }
          const expected = new Map([...model.keys()].sort().map((name) => [name, model.get(name)]));
          return { view: memory.view(), expected };
        });
        for (const [index, { view, expected }] of checks.entries()) {
          for (const reader of [view, memory.view(index + 1)]) {
            expect(reader.revision).toBe(index + 1);
            expect(reader.keys()).toEqual([...expected.keys()]);
            for (const name of ['a', 'b', 'a.b', 'a.b.c', 'c'])
              expect(reader.get(name)).toBe(expected.get(name));
          }
        }
      }),
    );
  });

  it('is empty at revision 0 and before a key was written', () => {
    const memory = new RunMemory();
    memory.apply(committed(7, [{ key: 'a', value: 1 }]));
    expect(memory.revision).toBe(7);
    expect([memory.view(6).get('a'), memory.view(7).get('a'), memory.view(0).keys()]).toEqual([
      undefined,
      1,
      [],
    ]);
  });

  it('applies a record, and an operation, once', () => {
    const memory = new RunMemory();
    const record = committed(1, [{ key: 'a', value: 1 }], 'op');
    memory.apply(record);
    memory.apply(record);
    memory.apply(committed(2, [{ key: 'a', value: 2 }], 'op'));
    expect([memory.view().get('a'), memory.revision, memory.hasApplied('op')]).toEqual([
      1,
      1,
      true,
    ]);
  });

  it('has one hash for one content, however it came about', () => {
    const hashOf = (...sets: readonly MemoryChange[][]): string => {
      const memory = new RunMemory();
      sets.forEach((changes, index) => memory.apply(committed(index + 1, changes)));
      return memory.hash();
    };
    const direct = hashOf([
      { key: 'b', value: { x: 1, y: 2 } },
      { key: 'a', value: 1 },
    ]);
    const detour = hashOf(
      [{ key: 'c', value: 0 }],
      [{ key: 'a', value: 1 }],
      [{ key: 'b', value: { y: 2, x: 1 } }],
      [{ key: 'c', deleted: true }],
    );
    expect(detour).toBe(direct);
    expect(hashOf([{ key: 'a', value: 1 }])).not.toBe(direct);
    expect(hashOf()).toBe(new RunMemory().hash());
  });

  it('finds keys by pattern, in order', () => {
    const memory = new RunMemory();
    const names = ['pm.stories', 'architect.api.v1', 'architect.plan', 'architect'];
    memory.apply(
      committed(
        1,
        names.map((name) => ({ key: name, value: 1 })),
      ),
    );
    const keys = (pattern: string): readonly string[] => memory.view().keys(pattern);
    expect(keys('architect.*')).toEqual(['architect.api.v1', 'architect.plan']);
    expect(keys('architect.>')).toEqual(['architect.api.v1', 'architect.plan']);
    expect(keys('*.api.*')).toEqual(['architect.api.v1']);
    expect(keys('*.plan')).toEqual(['architect.plan']);
    expect(keys('*')).toEqual(['architect']);
    expect(keys('pm.stories')).toEqual(['pm.stories']);
    expect(keys('>')).toEqual([...names].sort());
  });
});

describe('key patterns', () => {
  it.each([
    ['a', 'a', true],
    ['a', 'a.b', false],
    ['a.*', 'a', false],
    ['a.*', 'a.b.c', true],
    ['*', 'a.b', false],
    ['*.b', 'a.b', true],
    ['*.b', 'a.b.c', false],
    ['a.*.c', 'a.b.c', true],
    ['a.*.c', 'a.c', false],
    ['a.>', 'a', false],
    ['a.>.c', 'a.b.c', false],
  ])('%s against %s: %s', (pattern, name, expected) => {
    expect(keyMatches(pattern, name)).toBe(expected);
  });
});
