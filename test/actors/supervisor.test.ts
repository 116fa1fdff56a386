import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { ChildSpec } from '../../src/actors/supervised-children.ts';
import type { RestartStrategy, RestartType } from '../../src/policies/restart-spec.ts';
import { Supervised, part } from './supervised.ts';
import type { Fuse } from './supervised.ts';

const ask = { type: 'end' };

function child(id: string, rest: Partial<ChildSpec> = {}): ChildSpec {
  return { id, logic: part(), restart: 'permanent', ...rest };
}

const three = [child('a'), child('b'), child('c')];

describe('a supervisor', () => {
  it('starts its children in order', () => {
    expect(new Supervised(three).started).toEqual(['a@0', 'b@0', 'c@0']);
  });

  const restarts: [RestartStrategy, string[]][] = [
    ['one_for_one', ['b@500']],
    ['one_for_all', ['a@500', 'b@500', 'c@500']],
    ['rest_for_one', ['b@500', 'c@500']],
  ];
  it.each(restarts)('restarts by %s, in order, after the backoff', (strategy, again) => {
    const tree = new Supervised(three, { strategy });
    tree.tell('b', 'die');
    expect(tree.snapshot.value).toBe('restarting');
    tree.settle();
    expect(tree.started.slice(3)).toEqual(again);
    expect(tree.snapshot.value).toBe('running');
    expect(tree.living.toSorted()).toEqual(['a', 'b', 'c']);
    expect(tree.census).toBe(7);
  });

  const types: [RestartType, string, boolean][] = [
    ['permanent', 'die', true],
    ['permanent', 'end', true],
    ['transient', 'die', true],
    ['transient', 'end', false],
    ['temporary', 'die', false],
    ['temporary', 'end', false],
  ];
  it.each(types)('treats a %s child that is told to %s by its type', (restart, told, again) => {
    const tree = new Supervised([child('a', { restart })]);
    tree.tell('a', told);
    tree.settle();
    expect(tree.living).toEqual(again ? ['a'] : []);
  });

  it('does not start a temporary sibling again that goes with the one that died', () => {
    const tree = new Supervised([child('a'), child('b', { restart: 'temporary' })], {
      strategy: 'one_for_all',
    });
    tree.tell('a', 'die');
    tree.settle();
    expect(tree.living).toEqual(['a']);
  });

  it('escalates exactly once, with nothing left alive', () => {
    const tree = new Supervised(three, { maxRestarts: 2 });
    for (let death = 0; death < 5; death++) {
      tree.tell('b', 'die');
      tree.settle();
    }
    expect(tree.snapshot.value).toBe('escalated');
    expect(tree.escalations).toHaveLength(1);
    expect(tree.escalations[0]).toMatchObject({ code: 'TRP_RESTARTS_EXHAUSTED', place: 'b' });
    expect(tree.started.filter((start) => start.startsWith('b'))).toHaveLength(3);
    expect(tree.census).toBe(0);
  });

  it('stops in reverse order, one after another, and kills who does not end in time', () => {
    const tree = new Supervised([
      child('a', { ask }),
      child('b', { ask, shutdownMs: 100 }),
      child('c', { ask }),
    ]);
    tree.tell('b', 'linger');
    tree.stop();
    expect(tree.living).toEqual(['a', 'b']);
    tree.settle();
    expect(tree.clock.now()).toBe(100);
    expect(tree.snapshot).toMatchObject({ value: 'stopped', status: 'done' });
    expect(tree.census).toBe(0);
  });

  it('goes on stopping when a child dies while another is being stopped', () => {
    const tree = new Supervised([child('a'), child('b', { ask }), child('c', { ask })]);
    tree.tell('c', 'linger');
    tree.stop();
    tree.tell('b', 'die');
    tree.tell('a', 'die');
    tree.settle();
    expect(tree.snapshot.value).toBe('stopped');
    expect(tree.started).toHaveLength(3);
    expect(tree.census).toBe(0);
  });

  it('takes a child whose start throws for one that has died', () => {
    const fuse: Fuse = { left: 1 };
    const tree = new Supervised([child('a'), child('b', { logic: part(fuse) })]);
    expect(tree.faults).toEqual(['b']);
    tree.settle();
    expect(tree.living).toEqual(['a', 'b']);
    expect(tree.census).toBe(5);
  });

  it('goes on with a child whose input cannot be made', () => {
    let calls = 0;
    const input = (): void => {
      if (calls++ === 0) throw new Error('no input');
    };
    const tree = new Supervised([child('a', { input }), child('b')]);
    tree.settle();
    expect(tree.living.toSorted()).toEqual(['a', 'b']);
  });
});

const tellings = fc.record({
  id: fc.constantFrom('a', 'b', 'c', 'd'),
  told: fc.constantFrom('die', 'end', 'linger', 'work', 'pass', 'stop', 'kill'),
});

const children = fc.array(
  fc.record({
    restart: fc.constantFrom<RestartType>('permanent', 'transient', 'temporary'),
    asks: fc.boolean(),
    fuse: fc.nat({ max: 6 }),
  }),
  { minLength: 1, maxLength: 4 },
);

const settings = fc.record({
  strategy: fc.constantFrom<RestartStrategy>('one_for_one', 'one_for_all', 'rest_for_one'),
  maxRestarts: fc.nat({ max: 3 }),
});

function carry(tree: Supervised, { id, told }: { id: string; told: string }): void {
  if (told === 'pass') tree.step();
  else if (told === 'stop') tree.stop();
  else if (told === 'kill') tree.root.stop();
  else tree.tell(id, told);
}

/** No two children of one id live at once, the Map holds who lives, and escalation comes at most once. */
function lawful(tree: Supervised): void {
  const { value, status } = tree.snapshot;
  expect(tree.escalations.length).toBe(value === 'escalated' ? 1 : 0);
  if (status === 'active') expect(tree.census).toBe(1 + 2 * tree.living.length);
  else expect(tree.census).toBe(0);
}

describe('whatever is thrown, and whenever', () => {
  it('no actor, no timer and no second escalation is left behind', () => {
    fc.assert(
      fc.property(
        children,
        settings,
        fc.array(tellings, { maxLength: 25 }),
        (made, given, told) => {
          const specs = made.map(({ restart, asks, fuse }, index) =>
            child('abcd'[index] ?? '', {
              restart,
              logic: part({ left: fuse }),
              ...(asks ? { ask, shutdownMs: 50 } : {}),
            }),
          );
          const tree = new Supervised(specs, given);
          for (const one of told) {
            carry(tree, one);
            lawful(tree);
          }
          tree.stop();
          tree.settle();
          expect(tree.snapshot.status).not.toBe('active');
          expect(tree.census).toBe(0);
          expect(tree.step()).toBe(false);
        },
      ),
      { numRuns: 400 },
    );
  });
});
