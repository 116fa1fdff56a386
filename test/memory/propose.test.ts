import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Plain } from '../../src/core/plain.ts';
import type { MergerName } from '../../src/workflow/model.ts';
import { Desk, openRules, proposalOf } from './support.ts';

const set = (key: string, value: Plain): { key: string; value: Plain } => ({ key, value });

describe('a proposal', () => {
  it('replaces what its base includes, without a conflict', () => {
    const desk = new Desk(openRules('reject'));
    expect(desk.submit(proposalOf('a', [set('k', 1)]))).toEqual([]);
    expect(desk.submit(proposalOf('b', [set('k', 2)], { base: 1, priority: 1 }))).toEqual([]);
    expect(desk.memory.view().get('k')).toBe(2);
  });

  it('becomes visible whole, at one revision', () => {
    const desk = new Desk(openRules('reject'));
    desk.submit(proposalOf('a', [set('x', 1), set('y', 2)]));
    expect(desk.journal).toMatchObject([{ seq: 1, changes: [set('x', 1), set('y', 2)] }]);
    expect(desk.memory.view(0).keys()).toEqual([]);
    expect(desk.memory.view(1).keys()).toEqual(['x', 'y']);
  });

  it('has the last value of a key that it names twice', () => {
    const desk = new Desk(openRules('reject'));
    desk.submit(proposalOf('a', [set('x', 1), set('y', 2), { key: 'x', deleted: true }]));
    expect(desk.memory.view().keys()).toEqual(['y']);
  });

  it('that is in already, or is empty, gives no records', () => {
    const desk = new Desk(openRules('sum'));
    desk.submit(proposalOf('a', [set('n', 1)]));
    desk.submit(proposalOf('a', [set('n', 1)]));
    desk.submit(proposalOf('b', []));
    expect(desk.journal).toHaveLength(1);
    expect(desk.memory.view().get('n')).toBe(1);
  });

  it('is refused whole when one of its keys is rejected', () => {
    const desk = new Desk(openRules('reject'));
    desk.submit(proposalOf('a', [set('k', 1)]));
    const refusal = expect.objectContaining({
      code: 'TRP_MEMORY_REJECTED',
      message: expect.stringMatching(
        /task b \(agent agent-b\) wrote k from revision 0, but task a \(agent agent-a\) wrote it at revision 1/,
      ),
    });
    expect(() => desk.submit(proposalOf('b', [set('free', 1), set('k', 2)]))).toThrow(refusal);
    expect(desk.memory.view().keys()).toEqual(['k']);
  });

  it('that says what a concurrent one said is not rejected', () => {
    const desk = new Desk(openRules('reject'));
    desk.submit(proposalOf('a', [set('k', { x: 1, y: 2 })]));
    expect(desk.submit(proposalOf('b', [set('k', { y: 2, x: 1 })]))).toEqual([]);
  });

  it('counts twice in a sum although both add the same', () => {
    const desk = new Desk(openRules('sum'));
    for (const task of ['a', 'b', 'c']) desk.submit(proposalOf(task, [set('n', 5)]));
    expect(desk.memory.view().get('n')).toBe(15);
  });

  it('records who met whom, by which rule, and what was dropped', () => {
    const desk = new Desk(openRules('priority_merge'));
    desk.submit(proposalOf('low', [set('k', { a: 1, b: 1 })], { priority: 2 }));
    const conflicts = desk.submit(proposalOf('high', [set('k', { a: 2, c: 2 })], { priority: 9 }));
    expect(desk.memory.view().get('k')).toEqual({ a: 2, b: 1, c: 2 });
    expect(conflicts).toEqual([
      {
        type: 'conflict.recorded',
        key: 'k',
        rule: 'priority_merge',
        base: 0,
        theirs: { agent: 'agent-low', revision: 1 },
        mine: { agent: 'agent-high', task: 'high' },
        dropped: { '/a': 1 },
      },
    ]);
  });

  it('of less priority keeps what nobody else touched, and loses the rest on record', () => {
    const desk = new Desk(openRules('priority_merge'));
    desk.submit(proposalOf('high', [set('k', { a: 2 })], { priority: 9 }));
    const conflicts = desk.submit(proposalOf('low', [set('k', { a: 1, b: 1 })], { priority: 2 }));
    expect(desk.memory.view().get('k')).toEqual({ a: 2, b: 1 });
    expect(conflicts).toMatchObject([
      { theirs: { agent: 'agent-high' }, mine: { task: 'low' }, dropped: { '/a': 1 } },
    ]);
  });

  it('of middle priority wins the part whose writer was weaker than it, though a stronger one wrote elsewhere', () => {
    const desk = new Desk(openRules('priority_merge'));
    desk.submit(proposalOf('low', [set('k', { a: 'low' })], { priority: 1 }));
    desk.submit(proposalOf('high', [set('k', { b: 'high' })], { priority: 9 }));
    const conflicts = desk.submit(
      proposalOf('middle', [set('k', { a: 'middle', b: 'middle' })], { priority: 5 }),
    );
    expect(desk.memory.view().get('k')).toEqual({ a: 'middle', b: 'high' });
    expect(conflicts.map(({ theirs, dropped }) => [theirs.agent, dropped])).toEqual([
      ['agent-high', { '/b': 'middle' }],
      ['agent-low', { '/a': 'low' }],
    ]);
  });

  it('keeps the first writer’s value under first_writer_wins and records the other', () => {
    const desk = new Desk(openRules('first_writer_wins'));
    desk.submit(proposalOf('a', [set('k', 1)], { priority: 1 }));
    expect(desk.submit(proposalOf('b', [set('k', 2)], { priority: 9 }))).toMatchObject([
      { dropped: 2 },
    ]);
    expect(desk.memory.view().get('k')).toBe(1);
  });

  it('that saw a part of what is concurrent merges with the rest from there', () => {
    const desk = new Desk(openRules('sum'));
    desk.submit(proposalOf('a', [set('n', 1)]));
    desk.submit(proposalOf('b', [set('n', 10)]));
    desk.submit(proposalOf('c', [set('n', 1 + 100)], { base: 1 }));
    desk.submit(proposalOf('d', [set('n', 111 + 1_000)], { base: 3 }));
    expect(desk.memory.view().get('n')).toBe(1_111);
  });
});

const leaf = fc.constantFrom<Plain>(0, 1, 2, 'x', null);
const value = fc.dictionary(
  fc.constantFrom('a', 'b', 'c'),
  fc.oneof(
    leaf,
    fc.dictionary(fc.constantFrom('p', 'q'), leaf, { maxKeys: 2 }),
    fc.constant<Plain>([1]),
  ),
  { maxKeys: 3 },
);
const whole = fc.integer({ min: -9, max: 9 });
const edit = fc.oneof(
  { weight: 5, arbitrary: value },
  { weight: 3, arbitrary: whole },
  { weight: 1, arbitrary: fc.constant(undefined) },
);

/** Several tasks edit one key from one base; then they are proposed in two orders, one of them with repeats. */
const edits = fc.record({
  base: fc.option(fc.oneof(value, whole), { nil: undefined }),
  writes: fc.array(
    fc.record({
      value: edit,
      priority: fc.integer({ min: 1, max: 3 }),
      agent: fc.constantFrom('x', 'y'),
    }),
    { minLength: 2, maxLength: 6 },
  ),
  seed: fc.integer(),
});

describe('concurrent proposals from one base', () => {
  const submitAll = (
    rule: MergerName,
    {
      base,
      writes,
    }: {
      base: Plain | undefined;
      writes: readonly { value: Plain | undefined; priority: number; agent: string; id: number }[];
    },
  ): Desk => {
    const desk = new Desk(openRules(rule));
    desk.submit(
      proposalOf('seed', [set('other', 0), ...(base === undefined ? [] : [set('k', base)])]),
    );
    for (const { value: mine, priority, agent, id } of writes) {
      const change = mine === undefined ? { key: 'k', deleted: true as const } : set('k', mine);
      desk.submit(proposalOf(`t${id}`, [change], { base: 1, priority, agent }));
    }
    return desk;
  };

  it('sum up whatever their order, numbers of any number of writers', () => {
    fc.assert(
      fc.property(whole, fc.array(whole, { minLength: 1, maxLength: 8 }), (base, numbers) => {
        const writes = numbers.map((number, id) => ({
          value: base + number,
          priority: id,
          agent: 'a',
          id,
        }));
        const total = numbers.reduce((sum, number) => sum + number, base);
        for (const order of [writes, writes.toReversed()]) {
          expect(submitAll('sum', { base, writes: order }).memory.view().get('k')).toBe(total + 0);
        }
      }),
    );
  });

  it.each(['priority_merge', 'three_way', 'union', 'max', 'min', 'sum'] as const)(
    'give one content under %s, whatever their order and however often they come',
    (rule) => {
      fc.assert(
        fc.property(edits, ({ base, writes, seed }) => {
          const numbered = writes.map((write, id) => ({ ...write, id }));
          const turned = numbered.map((write, index) => ({
            write,
            order: (index * 7_919 + Math.abs(seed % 97)) % 11,
          }));
          const shuffled = turned
            .sort((a, b) => a.order - b.order || b.write.id - a.write.id)
            .map(({ write }) => write);
          const [one, other] = [
            submitAll(rule, { base, writes: numbered }),
            submitAll(rule, { base, writes: [...shuffled, ...numbered] }),
          ];
          expect(other.memory.hash()).toBe(one.memory.hash());
          expect(other.memory.view().get('k')).toEqual(one.memory.view().get('k'));
        }),
        { numRuns: 300 },
      );
    },
  );

  it('are decided alike by a memory that was folded anew from the journal', () => {
    fc.assert(
      fc.property(edits, ({ base, writes }) => {
        const numbered = writes.map((write, id) => ({ ...write, id }));
        const whole = submitAll('priority_merge', { base, writes: numbered });
        const desk = submitAll('priority_merge', { base, writes: numbered.slice(0, -1) });
        const resumed = new Desk(openRules('priority_merge'));
        Object.assign(resumed, { memory: desk.refolded(), journal: desk.journal });
        const last = numbered.at(-1);
        if (!last) return;
        const change =
          last.value === undefined ? { key: 'k', deleted: true as const } : set('k', last.value);
        resumed.submit(
          proposalOf(`t${last.id}`, [change], {
            base: 1,
            priority: last.priority,
            agent: last.agent,
          }),
        );
        expect(resumed.memory.hash()).toBe(whole.memory.hash());
        const commits = ({ journal }: Desk): unknown[] =>
          journal.flatMap((record) => (record.type === 'memory.committed' ? [record.changes] : []));
        expect(commits(resumed)).toEqual(commits(whole));
      }),
      { numRuns: 300 },
    );
  });
});
