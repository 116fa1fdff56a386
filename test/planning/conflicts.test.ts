import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findConflicts, maxConflicts } from '../../src/planning/conflicts.ts';
import { buildGraph } from '../../src/planning/graph.ts';
import { isWild, patternIndex, patternsOverlap } from '../../src/planning/key-patterns.ts';
import { reachableFrom } from '../../src/planning/topological.ts';
import { workflowOf } from '../support/workflow-builder.ts';
import { acyclicWorkflow } from './random-workflow.ts';

function conflictsOf(input: Parameters<typeof workflowOf>[0]) {
  return findConflicts(buildGraph(workflowOf(input))).listed;
}

describe('patterns of keys', () => {
  it.each([
    ['a.b', 'a.b', true],
    ['a.b', 'a.c', false],
    ['a.*.c', 'a.b.c', true],
    ['a.*.c', 'a.b.d', false],
    ['a.*', 'a.b.c', true],
    ['a.>', 'a.b.c', true],
    ['a.*', 'a', false],
    ['a.>', '*.b', true],
    ['*', 'a', true],
    ['*', 'a.b', false],
    ['*.x', 'a.*', true],
    ['a.b.*', 'a.c.*', false],
    ['a.*', 'a.b.*', true],
  ])('%s and %s overlap: %s', (one, other, expected) => {
    expect(patternsOverlap(one, other)).toBe(expected);
    expect(patternsOverlap(other, one)).toBe(expected);
  });

  it('overlap exactly when some key of up to four tokens matches both', () => {
    const token = fc.constantFrom('a', 'b', '*');
    const pattern = fc
      .tuple(fc.array(token, { minLength: 1, maxLength: 3 }), fc.constantFrom('', '.>', '.*'))
      .map(([tokens, rest]) => tokens.join('.') + rest);
    fc.assert(
      fc.property(pattern, pattern, (one, other) => {
        const both = keys.some((key) => matches(one, key) && matches(other, key));
        expect(patternsOverlap(one, other)).toBe(both);
      }),
      { numRuns: 500 },
    );
  });

  it('are looked up in a set, the pattern itself included', () => {
    expect(patternIndex(['a.b', 'a.*', 'c.d', 'a.b']).overlapping('a.b')).toEqual(['a.*', 'a.b']);
    expect([isWild('a.b'), isWild('a.*.b'), isWild('a.>'), isWild('a.*')]).toEqual([
      false,
      true,
      true,
      true,
    ]);
  });
});

describe('findConflicts', () => {
  it('warns of two unordered writers of a key that has a merger', () => {
    const tasks = { a: { writes: ['k.x'] }, b: { writes: ['k.x'] } };
    expect(conflictsOf({ tasks })).toEqual([
      {
        key: 'k.x',
        tasks: ['a', 'b'],
        policy: 'first_writer_wins',
        severity: 'warning',
        serialised_by: null,
      },
    ]);
  });

  it('makes a fault of it where the policy of the key is reject', () => {
    const tasks = { a: { writes: ['k.x'] }, b: { writes: ['k.*'] } };
    expect(conflictsOf({ tasks, memory: { 'k.*': 'union', 'k.x': 'reject' } })).toMatchObject([
      { key: 'k.x', policy: 'reject', severity: 'fault' },
    ]);
  });

  it('merges what is written below parallel by priority unless told otherwise', () => {
    const tasks = { a: { writes: ['parallel.results.r'] }, b: { writes: ['parallel.results.r'] } };
    expect(conflictsOf({ tasks })[0]?.policy).toBe('priority_merge');
    expect(conflictsOf({ tasks, memory: { 'parallel.>': 'append' } })[0]?.policy).toBe('append');
  });

  it('says nothing of writers that a path orders, by way of a group too', () => {
    const tasks = { a: { writes: ['k'] }, m: { needs: ['a'] }, b: { needs: ['g'], writes: ['k'] } };
    expect(conflictsOf({ tasks, groups: { g: ['m'] } })).toEqual([]);
  });

  it('tells what keeps two writers apart: a lock, or a resource with too few units', () => {
    const locked = { writes: ['file'], demand: { 'lock:file': 1 } };
    expect(conflictsOf({ tasks: { a: locked, b: locked } })).toMatchObject([
      { severity: 'serialised', serialised_by: 'lock:file' },
    ]);
    const large = { writes: ['file'], demand: { cpu: 3 } };
    const severities = [4, 6].map(
      (cpu) => conflictsOf({ tasks: { a: large, b: large }, resources: { cpu } })[0]?.severity,
    );
    expect(severities).toEqual(['serialised', 'warning']);
  });

  it('names a pair once per key, also where patterns of one task overlap', () => {
    const tasks = { a: { writes: ['k.*', 'k.x'] }, b: { writes: ['k.x'] } };
    expect(conflictsOf({ tasks }).map(({ key }) => key)).toEqual(['k.x']);
  });

  it('finds the same pairs as looking at every pair', () => {
    const writes = fc.array(fc.subarray(['a', 'b.x', 'b.*', 'c.y.z', 'c.>']), {
      minLength: 40,
      maxLength: 40,
    });
    fc.assert(
      fc.property(acyclicWorkflow(40), writes, (drawn, keysOf) => {
        const workflow = {
          ...drawn,
          tasks: drawn.tasks.map((task, at) => ({ ...task, writes: keysOf[at] ?? [] })),
        };
        const graph = buildGraph(workflow);
        const found = findConflicts(graph).listed.map(({ tasks }) => [...tasks].sort().join(' '));
        const expected = workflow.tasks.flatMap((one, at) =>
          workflow.tasks.slice(at + 1).flatMap((other) => {
            const ordered =
              reachableFrom(graph.successors, one.index).has(other.index) ||
              reachableFrom(graph.successors, other.index).has(one.index);
            const meet = one.writes.some((mine) =>
              other.writes.some((theirs) => patternsOverlap(mine, theirs)),
            );
            return meet && !ordered ? [[one.id, other.id].sort().join(' ')] : [];
          }),
        );
        expect([...new Set(found)].sort()).toEqual([...new Set(expected)].sort());
      }),
    );
  });

  it('lists faults before all else, so that no bound hides them', () => {
    const many = Array.from({ length: 60 }, (_, at) => [`t${at}`, { writes: ['k'] }]);
    const tasks = { ...Object.fromEntries(many), x: { writes: ['r'] }, y: { writes: ['r'] } };
    const [first] = conflictsOf({ tasks, memory: { r: 'reject' } });
    expect(first).toMatchObject({ key: 'r', tasks: ['x', 'y'], severity: 'fault' });
  });

  it('lists a bounded number and counts the rest', () => {
    const tasks = Object.fromEntries(
      Array.from({ length: 60 }, (_, at) => [`t${at}`, { writes: ['k'] }]),
    );
    const { listed, omitted } = findConflicts(buildGraph(workflowOf({ tasks })));
    expect(listed.length).toBe(maxConflicts);
    expect(listed.length + (omitted ?? NaN)).toBe((60 * 59) / 2);
  });
});

/** Every key of one to four tokens over an alphabet with one letter that no pattern names. */
const keys = [1, 2, 3, 4].flatMap((length) => words(length).map((tokens) => tokens.join('.')));

function words(length: number): string[][] {
  if (length === 0) return [[]];
  return words(length - 1).flatMap((word) => ['a', 'b', 'z'].map((letter) => [...word, letter]));
}

function matches(pattern: string, key: string): boolean {
  const rest = /\.(>|\*)$/.test(pattern);
  const head = pattern.replace(/\.(>|\*)$/, '').split('.');
  const body = head.map((token) => (token === '*' ? '[^.]+' : token)).join('\\.');
  return new RegExp(`^${body}${rest ? '\\..+' : ''}$`).test(key);
}
