import { describe, expect, it } from 'vitest';
import { contentHash } from '../../src/core/canonical.ts';
import type { Plain } from '../../src/core/plain.ts';
import { decideCommit } from '../../src/memory/propose.ts';
import type { MemoryRules } from '../../src/memory/propose.ts';
import { Desk, openRules, proposalOf } from './support.ts';

const set = (key: string, value: Plain): { key: string; value: Plain } => ({ key, value });

describe('a merged value of many places', () => {
  const branches = 400;
  const filled = (order: (index: number) => number): Desk => {
    const desk = new Desk(openRules('priority_merge'));
    for (let step = 0; step < branches; step++) {
      const index = order(step);
      const changes = [set('k', { shared: index, [`own-${index}`]: { leaf: index } })];
      desk.submit(proposalOf(`t${index}`, changes, { priority: 1 + (index % 10) }));
    }
    return desk;
  };

  it('is not written again and again, and yet every revision can be read', () => {
    const desk = filled((step) => step);
    const last = desk.journal.findLast(({ type }) => type === 'memory.committed');
    expect(last).toMatchObject({ changes: [], merged: [{ key: 'k', rule: 'priority_merge' }] });
    expect(JSON.stringify(last).length).toBeLessThan(400);
    expect(Object.keys(desk.memory.view().get('k') as object)).toHaveLength(branches + 1);
    const commits = desk.journal.filter(({ type }) => type === 'memory.committed');
    for (const [index, { seq }] of commits.entries())
      expect(Object.keys(desk.memory.view(seq).get('k') as object)).toHaveLength(index + 2);
  });

  it('is the same in another order, and when it is folded anew from the journal', () => {
    const [one, other] = [filled((step) => step), filled((step) => branches - 1 - step)];
    expect(other.memory.hash()).toBe(one.memory.hash());
    expect(one.refolded().hash()).toBe(one.memory.hash());
    expect(one.memory.view().get('k')).toMatchObject({ shared: 109 });
  });

  it('goes on after a proposal that was decided and never came', () => {
    const desk = filled((step) => step);
    const again = filled((step) => step);
    const lost = proposalOf('lost', [set('k', { shared: 'lost' })], { priority: 10, agent: 'a' });
    decideCommit(desk.memory, lost, openRules('priority_merge'));
    for (const one of [desk, again]) one.submit(proposalOf('next', [set('k', { next: 1 })]));
    expect(desk.memory.hash()).toBe(again.memory.hash());
  });
});

describe('a key with a schema', () => {
  const rules: MemoryRules = {
    ...openRules('three_way'),
    specOf: () => ({
      schema: { type: 'object', properties: { total: { type: 'integer' } }, required: ['total'] },
    }),
  };

  it('takes a merged value that fits', () => {
    const desk = new Desk(rules);
    desk.submit(proposalOf('seed', [set('k', { total: 1 })]));
    desk.submit(proposalOf('a', [set('k', { total: 2 })], { base: 1 }));
    expect(desk.submit(proposalOf('b', [set('k', { total: 1, x: 1 })], { base: 1 }))).toEqual([]);
    expect(desk.memory.view().get('k')).toEqual({ total: 2, x: 1 });
  });

  it('has the strongest write whole when the merged value does not fit, and tells why', () => {
    const desk = new Desk(rules);
    desk.submit(proposalOf('seed', [set('k', { total: 1, x: 0 })]));
    desk.submit(proposalOf('a', [set('k', { x: 0 })], { base: 1, priority: 1 }));
    const conflicts = desk.submit(
      proposalOf('b', [set('k', { total: 1, x: 1 })], { base: 1, priority: 9 }),
    );
    expect(desk.memory.view().get('k')).toEqual({ total: 1, x: 1 });
    expect(conflicts).toMatchObject([{ fault: '/total is missing', dropped: { x: 0 } }]);
    expect(desk.refolded().hash()).toBe(desk.memory.hash());
  });

  it('tells all that goes when a third write makes the merged value unfit', () => {
    const desk = new Desk(rules);
    desk.submit(proposalOf('seed', [set('k', { total: 1, x: 0 })]));
    desk.submit(proposalOf('a', [set('k', { total: 1, x: 5 })], { base: 1, priority: 9 }));
    desk.submit(proposalOf('b', [set('k', { total: 1, x: 0, y: 7 })], { base: 1, priority: 5 }));
    expect(desk.memory.view().get('k')).toEqual({ total: 1, x: 5, y: 7 });
    const unfit = proposalOf('c', [set('k', { x: 0 })], { base: 1, priority: 1 });
    const conflicts = desk.submit(unfit);
    expect(desk.memory.view().get('k')).toEqual({ total: 1, x: 5 });
    const fault = '/total is missing';
    expect(conflicts).toMatchObject([
      { fault, dropped: { x: 0 } },
      { fault, dropped: { total: 1, x: 5, y: 7 } },
    ]);
  });

  it('under manual waits for a person, whatever the priorities', () => {
    const desk = new Desk({ ...rules, mergerOf: () => 'manual' });
    desk.submit(proposalOf('seed', [set('k', { total: 1, x: 0 })]));
    desk.submit(proposalOf('a', [set('k', { total: 1, x: 1 })], { base: 1, priority: 1 }));
    const conflicts = desk.submit(proposalOf('b', [set('k', { x: 0 })], { base: 1, priority: 9 }));
    expect(desk.memory.view().get('k')).toEqual({ total: 1, x: 1 });
    expect(conflicts).toMatchObject([
      { fault: '/total is missing', open: { mine: { value: { x: 1 } } } },
    ]);
  });
});

describe('a clash under manual', () => {
  it('keeps theirs and opens a conflict with both values and their hashes', () => {
    const desk = new Desk(openRules('manual'));
    desk.submit(proposalOf('seed', [set('k', { a: 1, b: 1 })]));
    desk.submit(proposalOf('a', [set('k', { a: 2, b: 1 })], { base: 1 }));
    const [conflict] = desk.submit(
      proposalOf('b', [set('k', { a: 3, b: 9 })], { base: 1, priority: 10 }),
    );
    expect(desk.memory.view().get('k')).toEqual({ a: 2, b: 1 });
    expect(conflict?.open).toEqual({
      theirs: { value: { a: 2, b: 1 }, hash: contentHash({ a: 2, b: 1 }) },
      mine: { value: { a: 3, b: 9 }, hash: contentHash({ a: 3, b: 9 }) },
    });
  });

  it('is none when both say the same, or change different parts', () => {
    const desk = new Desk(openRules('manual'));
    desk.submit(proposalOf('seed', [set('k', { a: 1, b: 1 })]));
    for (const [task, value] of [
      ['a', { a: 2, b: 1 }],
      ['b', { a: 2, b: 1 }],
      ['c', { a: 1, b: 2 }],
    ] as const)
      expect(desk.submit(proposalOf(task, [set('k', value)], { base: 1 }))).toEqual([]);
    expect(desk.memory.view().get('k')).toEqual({ a: 2, b: 2 });
    expect(desk.memory.keyHash('k')).toBe(contentHash({ a: 2, b: 2 }));
    expect(desk.memory.keyHash('none')).toBeUndefined();
  });
});
