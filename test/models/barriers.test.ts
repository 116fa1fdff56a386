import { getAdjacencyMap } from '@xstate/graph';
import { describe, expect, it } from 'vitest';

import {
  barrierArrived,
  barrierHardDeadline,
  barrierSoftDeadline,
  barrierTimedOut,
  initialBarrier,
} from '../../src/policies/barrier.ts';
import type { BarrierDecision, BarrierState } from '../../src/policies/barrier.ts';
import { asyncMergeMachine } from '../../src/supervisors/async-merge.ts';
import { forkJoinMachine } from '../../src/supervisors/fork-join.ts';
import type { JoinEvent, JoinInput, JoinPort } from '../../src/supervisors/join.ts';
import type { BarrierSpec } from '../../src/workflow/model.ts';

const nothing = (): void => undefined;
const port: JoinPort = {
  released: nothing,
  extended: nothing,
  sufficed: nothing,
  fellBack: nothing,
  contributed: nothing,
};

const plain: BarrierSpec = {
  type: 'count_down',
  expected: undefined,
  minSuccess: { count: 1 },
  required: [],
  timeoutMs: 100,
  onTimeout: ['extend', 'abort_and_fallback'],
  extension: { byMs: 10, max: 1 },
  onFailure: 'retry_failed_worker',
};

const specs: { readonly [name: string]: BarrierSpec } = {
  'that extends and falls back': plain,
  'that proceeds with what is there': { ...plain, onTimeout: ['proceed_with_available'] },
  'that weighs its members and waits for a quorum': {
    ...plain,
    type: 'smart',
    minSuccess: { weight: 2 },
    quorum: { weight: 3 },
    weights: { a: 2 },
    onTimeout: ['extend', 'proceed_with_available'],
  },
  'that fails when its time is over': { ...plain, onTimeout: ['fail'], required: ['b'] },
  'that fails fast': { ...plain, onFailure: 'fail_fast', minSuccess: { share: 1 } },
};

const members = ['a', 'b', 'c'];

const events: readonly JoinEvent[] = [
  { type: 'member.dispatched' },
  ...members.flatMap((member): JoinEvent[] => [
    { type: 'member.ended', member, outcome: 'succeeded' },
    { type: 'member.ended', member, outcome: 'failed' },
  ]),
  { type: 'member.ended', member: 'c', outcome: 'skipped', leftOut: true },
  { type: 'members.ended', members: members.map((member) => ({ member, outcome: 'succeeded' })) },
  {
    type: 'members.ended',
    members: [
      { member: 'b', outcome: 'failed' },
      { member: 'c', outcome: 'skipped', leftOut: true },
    ],
  },
  ...([undefined, 'soft', 'hard'] as const).flatMap((bound): JoinEvent[] => [
    { type: 'deadline.reached', progressed: members, ...(bound && { bound }) },
    { type: 'deadline.reached', progressed: [], ...(bound && { bound }) },
  ]),
];

interface Snapshot {
  readonly value: string;
  readonly context: { readonly barrier: BarrierState; readonly decision: BarrierDecision };
  readonly tags: ReadonlySet<string>;
}

interface Edge {
  readonly event: JoinEvent;
  readonly state: Snapshot;
}

type Machine = typeof forkJoinMachine | typeof asyncMergeMachine;

/** Every state that the machine can reach by these events, with what each event makes of it. */
function walked(machine: Machine, barrier: BarrierSpec): { state: Snapshot; edges: Edge[] }[] {
  const input: JoinInput = { group: 'g', barrier, members, port, crew: {} };
  // Both machines have the same events and input, which is all that the walk needs.
  const adjacency = getAdjacencyMap(machine as typeof forkJoinMachine, {
    input,
    events: events as never,
    limit: 20_000,
    serializeState: ((snapshot: Snapshot) =>
      JSON.stringify([snapshot.value, { ...snapshot.context.barrier, rule: undefined }])) as never,
  });
  return Object.values(adjacency).map(({ state, transitions }) => ({
    state: state as unknown as Snapshot,
    edges: Object.values(transitions) as unknown as Edge[],
  }));
}

/** What the policy alone makes of an event. */
function decided(barrier: BarrierState, event: JoinEvent): BarrierState {
  if (event.type === 'member.ended') return barrierArrived(barrier, event).state;
  if (event.type === 'members.ended')
    return event.members.reduce((state, arrival) => barrierArrived(state, arrival).state, barrier);
  if (event.type !== 'deadline.reached') return barrier;
  if (event.bound === 'soft') return barrierSoftDeadline(barrier, event.progressed).state;
  return event.bound === 'hard'
    ? barrierHardDeadline(barrier).state
    : barrierTimedOut(barrier, event.progressed).state;
}

/** Nobody has been dispatched: no time runs, so that none can be over. */
function isHeard({ value }: Snapshot, event: JoinEvent): boolean {
  return value !== 'waiting' || event.type !== 'deadline.reached';
}

const places = {
  fork_join: {
    machine: forkJoinMachine,
    at: {
      open: ['waiting', 'open'],
      extended: ['extended'],
      sufficing: ['sufficing'],
      falling_back: ['falling_back'],
      released: ['released'],
    },
  },
  async_merge: {
    machine: asyncMergeMachine,
    at: {
      open: ['waiting', 'merging'],
      extended: ['merging'],
      sufficing: ['completing'],
      falling_back: ['completing'],
      released: ['released'],
    },
  },
} as const;

const phases: { readonly [state: string]: string } = {
  waiting: 'initiation',
  open: 'monitoring',
  extended: 'monitoring',
  merging: 'monitoring',
  sufficing: 'completion',
  falling_back: 'completion',
  completing: 'completion',
  released: 'synchronization',
};

describe.each(Object.entries(places))('the %s machine', (_name, { machine, at }) => {
  it.each(Object.entries(specs))('decides as its policy does, for a barrier %s', (_title, spec) => {
    let compared = 0;
    for (const { state, edges } of walked(machine, spec)) {
      const { barrier } = state.context;
      for (const { event, state: next } of edges) {
        const expected = isHeard(state, event) ? decided(barrier, event) : barrier;
        expect(next.context.barrier).toEqual(expected);
        compared++;
      }
    }
    expect(compared).toBeGreaterThan(100);
  });

  it.each(Object.entries(specs))('is where its barrier %s says it is', (_title, spec) => {
    for (const { state } of walked(machine, spec)) {
      const allowed: readonly string[] = at[state.context.barrier.tag];
      expect(allowed).toContain(state.value);
    }
  });

  it('is in one of the four phases until it has ended', () => {
    const seen = new Set<string>();
    for (const spec of Object.values(specs))
      for (const { state } of walked(machine, spec)) {
        expect([...state.tags]).toEqual([phases[state.value]]);
        seen.add([...state.tags].join());
      }
    expect([...seen].sort()).toEqual(['completion', 'initiation', 'monitoring', 'synchronization']);
  });
});

describe('a barrier that nobody has reached', () => {
  it('is open', () => {
    expect(initialBarrier(plain, ['a']).tag).toBe('open');
  });
});
