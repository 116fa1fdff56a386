import { describe, expect, it } from 'vitest';
import type { Plain } from '../../src/core/plain.ts';
import { mergerNames } from '../../src/workflow/mergers.ts';
import type { MergerName } from '../../src/workflow/model.ts';
import { Desk, openRules, proposalOf } from './support.ts';

const set = (key: string, value: Plain): { key: string; value: Plain } => ({ key, value });

/** Anomalies of isolation by their names (Berenson and others, "A critique of ANSI SQL isolation levels", 1995). */
describe('isolation', () => {
  it('has no dirty read: what was proposed and refused, or not yet committed, is seen by nobody', () => {
    const desk = new Desk(openRules('reject'));
    desk.submit(proposalOf('a', [set('k', 1)]));
    const view = desk.memory.view();
    expect(() => desk.submit(proposalOf('b', [set('other', 2), set('k', 2)]))).toThrow();
    expect([view.get('other'), desk.memory.view().get('other')]).toEqual([undefined, undefined]);
  });

  it('has no fuzzy read: a key read twice in one view has one value', () => {
    const desk = new Desk(openRules('priority_merge'));
    desk.submit(proposalOf('a', [set('k', { x: 1 })]));
    const view = desk.memory.view();
    const before = view.get('k');
    desk.submit(proposalOf('b', [set('k', { x: 2 })], { base: 1 }));
    expect(view.get('k')).toBe(before);
  });

  it('has no phantom: keys that come or go later are not in a view', () => {
    const desk = new Desk(openRules('first_writer_wins'));
    desk.submit(proposalOf('a', [set('list.1', 1), set('list.2', 2)]));
    const view = desk.memory.view();
    desk.submit(proposalOf('b', [set('list.3', 3), { key: 'list.1', deleted: true }], { base: 1 }));
    expect(view.keys('list.*')).toEqual(['list.1', 'list.2']);
    expect(desk.memory.view().keys('list.*')).toEqual(['list.2', 'list.3']);
  });

  it('has no read skew: two keys of one changeset are seen together', () => {
    const desk = new Desk(openRules('first_writer_wins'));
    desk.submit(proposalOf('a', [set('x', 1), set('y', 1)]));
    const view = desk.memory.view();
    const x = view.get('x');
    desk.submit(proposalOf('b', [set('x', 2), set('y', 2)], { base: 1 }));
    expect([x, view.get('y')]).toEqual([1, 1]);
  });

  it('allows write skew: two that read one view and write different keys are not told of each other', () => {
    const desk = new Desk(openRules('reject'));
    desk.submit(proposalOf('seed', [set('x', 1), set('y', 1)]));
    expect(desk.submit(proposalOf('a', [set('x', 0)], { base: 1 }))).toEqual([]);
    expect(desk.submit(proposalOf('b', [set('y', 0)], { base: 1 }))).toEqual([]);
  });
});

const rules: readonly MergerName[] = mergerNames.filter((name) => name !== 'reject');

describe('a lost update', () => {
  it.each(rules)('is never silent under %s: what is not in the value is in a conflict', (rule) => {
    const desk = new Desk(openRules(rule));
    const conflicts = [
      ...desk.submit(proposalOf('a', [set('k', 'written by a')])),
      ...desk.submit(proposalOf('b', [set('k', 'written by b')])),
    ];
    const told = JSON.stringify([
      desk.memory.view().get('k'),
      conflicts.map(({ dropped }) => dropped),
    ]);
    expect(told).toContain('written by a');
    expect(told).toContain('written by b');
  });

  it.each(['append', 'union'] as const)(
    'does not happen to two that append to one list under %s',
    (rule) => {
      const desk = new Desk(openRules(rule));
      desk.submit(proposalOf('seed', [set('list', ['old'])]));
      for (const task of ['a', 'b'])
        expect(desk.submit(proposalOf(task, [set('list', ['old', task])], { base: 1 }))).toEqual(
          [],
        );
      expect(desk.memory.view().get('list')).toEqual(['old', 'a', 'b']);
    },
  );

  it('is refused under reject', () => {
    const desk = new Desk(openRules('reject'));
    desk.submit(proposalOf('a', [set('k', 1)]));
    expect(() => desk.submit(proposalOf('b', [set('k', 2)]))).toThrow(
      expect.objectContaining({ code: 'TRP_MEMORY_REJECTED' }),
    );
  });
});
