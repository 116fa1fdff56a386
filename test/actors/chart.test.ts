import { describe, expect, it } from 'vitest';
import { setup } from '../../src/actors/xstate.ts';
import { chartOf } from '../../src/actors/chart.ts';

const machine = setup({
  types: { events: {} as { type: 'GO' } | { type: 'TICK' } },
  guards: { isReady: () => true },
  actions: { note: () => undefined, leave: () => undefined },
}).createMachine({
  id: 'sample',
  description: 'A sample.',
  initial: 'idle',
  on: { TICK: { actions: 'note' } },
  states: {
    idle: {
      on: {
        GO: [{ guard: 'isReady', target: 'work', actions: ['note'] }, { target: '#sample.end' }],
      },
      exit: 'leave',
    },
    work: {
      type: 'parallel',
      entry: 'note',
      states: {
        left: {
          initial: 'one',
          states: { one: { always: { guard: 'isReady', target: 'two' } }, two: { type: 'final' } },
        },
        right: {
          initial: 'one',
          states: { one: { after: { 500: 'two' } }, two: { type: 'final' } },
        },
      },
      onDone: 'end',
    },
    end: { type: 'final', description: 'Over.' },
  },
});

const chart = chartOf(machine);
const state = (id: string): (typeof chart.states)[number] | undefined =>
  chart.states.find((each) => each.id === id);

describe('the chart of a machine', () => {
  it('has every state under its parent, in document order', () => {
    expect(chart.states.map(({ id }) => id)).toEqual([
      'sample',
      'sample.idle',
      'sample.work',
      'sample.work.left',
      'sample.work.left.one',
      'sample.work.left.two',
      'sample.work.right',
      'sample.work.right.one',
      'sample.work.right.two',
      'sample.end',
    ]);
    expect(state('sample.work.left')?.parent).toBe('sample.work');
    expect(state('sample')?.parent).toBeNull();
  });

  it('tells kinds, initial states, actions and descriptions', () => {
    expect(state('sample')).toMatchObject({ kind: 'compound', initial: ['sample.idle'] });
    expect(state('sample.work')).toMatchObject({ kind: 'parallel', initial: [], entry: ['note'] });
    expect(state('sample.idle')).toMatchObject({ kind: 'atomic', exit: ['leave'] });
    expect(state('sample.end')).toMatchObject({ kind: 'final', description: 'Over.' });
    expect(chart.description).toBe('A sample.');
  });

  it('has each candidate of an event with its guard and actions, in order', () => {
    const candidates = chart.transitions.filter(
      ({ from, event }) => from === 'sample.idle' && event === 'GO',
    );
    expect(candidates).toMatchObject([
      { to: ['sample.work'], guard: 'isReady', actions: ['note'] },
      { to: ['sample.end'], guard: '', actions: [] },
    ]);
  });

  it('has always, delayed and done transitions, and those that stay', () => {
    const of = (from: string): readonly (typeof chart.transitions)[number][] =>
      chart.transitions.filter((each) => each.from === from);
    expect(of('sample.work.left.one')).toMatchObject([
      { event: '', guard: 'isReady', to: ['sample.work.left.two'] },
    ]);
    expect(of('sample.work.right.one')).toMatchObject([
      { event: 'xstate.after.500.sample.work.right.one', to: ['sample.work.right.two'] },
    ]);
    expect(of('sample.work')).toMatchObject([
      { event: 'xstate.done.state.sample.work', to: ['sample.end'] },
    ]);
    expect(of('sample')).toMatchObject([{ event: 'TICK', to: [], actions: ['note'] }]);
  });

  it('is plain data', () => {
    expect(JSON.parse(JSON.stringify(chart))).toEqual(chart);
  });

  it('names invoked actors and inline functions', () => {
    const inline = setup({ actors: {} }).createMachine({ id: 'm', entry: () => undefined });
    expect(chartOf(inline).states[0]?.entry).toEqual(['inline']);
    const root = { ...(machine.root as object), states: {}, invoke: [{ id: 'job', src: 'fetch' }] };
    expect(chartOf({ id: 'm', root }).states[0]?.invokes).toEqual([{ id: 'job', src: 'fetch' }]);
  });
});
