import { getShortestPaths } from '@xstate/graph';
import { describe, expect, it } from 'vitest';

import type { AnyStateMachine } from '../../src/actors/xstate.ts';
import { allMachines } from '../../src/supervisors/machines.ts';
import { rungKinds } from '../../src/workflow/recovery.ts';
import type { JoinInput, JoinPort } from '../../src/supervisors/join.ts';
import type { BarrierSpec, OnTimeout } from '../../src/workflow/model.ts';
import { servingSamples } from './serving-samples.ts';

const nothing = (): void => undefined;
const joinPort: JoinPort = {
  released: nothing,
  extended: nothing,
  sufficed: nothing,
  fellBack: nothing,
  contributed: nothing,
};

function barrier(rest: Partial<BarrierSpec> = {}): BarrierSpec {
  return {
    type: 'count_down',
    expected: undefined,
    minSuccess: { count: 1 },
    required: [],
    timeoutMs: 100,
    onTimeout: ['extend', 'abort_and_fallback'] as OnTimeout[],
    extension: { byMs: 10, max: 1 },
    onFailure: 'retry_failed_worker',
    ...rest,
  };
}

const joinInput: JoinInput = {
  group: 'g',
  barrier: barrier(),
  members: ['a', 'b'],
  port: joinPort,
  crew: {},
};

const joinEvents = [
  { type: 'member.dispatched' },
  { type: 'member.ended', member: 'a', outcome: 'succeeded' },
  { type: 'member.ended', member: 'a', outcome: 'failed' },
  { type: 'member.ended', member: 'b', outcome: 'succeeded' },
  { type: 'deadline.reached', progressed: ['a', 'b'] },
  { type: 'deadline.reached', progressed: [] },
  { type: 'deadline.reached', progressed: ['a', 'b'], bound: 'soft' },
  { type: 'deadline.reached', progressed: [], bound: 'soft' },
  { type: 'deadline.reached', progressed: [], bound: 'hard' },
  { type: 'group.ended', outcome: 'succeeded', reason: 'completed' },
  { type: 'group.ended', outcome: 'partial', reason: 'completed' },
  { type: 'group.ended', outcome: 'failed', reason: 'completed' },
] as const;

const settled = {
  type: 'attempt.settled',
  settlement: { status: 'succeeded', result: { output: null, changes: [] } },
};
const workerPort = { begin: nothing, abort: nothing, report: nothing, fault: nothing };
const runInput = {
  run: 'r',
  assemble: () => undefined as never,
  onOpened: nothing,
  onEnded: nothing,
  onInterrupted: nothing,
  onFault: nothing,
};

/** What a collection, a pool or the governor is stopped by. */
const logicSample = { input: undefined, events: [{ type: 'stop' }] as never };

let doubts = false;

const supervisorSample = {
  input: undefined,
  events: [
    'child.died',
    'restart.due',
    'shutdown.due',
    'restarts.exhausted',
    'supervisor.stop',
    'children.gone',
  ].map((type) => ({ type })),
};

const escalationEvents = [
  ...rungKinds.map((rung) => ({ type: 'rung.opened', rung })),
  { type: 'deadline.reached' },
  ...['succeeded', 'failed', 'retried'].map((verdict) => ({ type: 'escalation.over', verdict })),
];

/** For every machine: an input, and one sample of each event that needs more than its type. */
const samples: {
  readonly [name: string]: { input: unknown; events: readonly { type: string }[] };
} = {
  root: {
    input: { governor: {}, onFault: nothing, onLost: nothing },
    events: [{ type: 'root.stop' }, { type: 'xstate.error.actor.tree' }],
  },
  ...servingSamples,
  supervisor: supervisorSample,
  bus_link: {
    input: {
      name: 'embedded',
      bus: { state: 'connected', onStatus: () => nothing },
      onChange: nothing,
    },
    events: [{ type: 'bus.connected' }, { type: 'bus.disconnected' }, { type: 'bus.closed' }],
  },
  lease: {
    input: {
      keeper: {
        terms: { ttlMs: 10, renewMs: 3 },
        // Either way, by turns.
        isDoubted: () => (doubts = !doubts),
        renew: () => Promise.resolve(),
        verify: () => Promise.resolve(),
      },
      clock: { now: () => 0 },
      deadlines: { at: () => ({ cancel: nothing }) },
      onChange: nothing,
    },
    events: ['due', 'answered', 'unanswered', 'release'].map((type) => ({
      type: `lease.${type}`,
    })),
  },
  run: {
    input: runInput,
    events: [
      { type: 'run.opened' },
      { type: 'attempts.settled', attempts: [] },
      { type: 'letter.dropped', dropped: { kind: 'overflow', reason: 'full', letter: null } },
      { type: 'records.durable' },
      { type: 'run.cancel', by: 'x' },
      { type: 'run.deadline' },
      { type: 'run.interrupt' },
      { type: 'work.finished' },
      { type: 'work.stopped' },
      { type: 'run.closed' },
      { type: 'run.faulted', error: {} },
    ] as never,
  },
  fork_join: { input: joinInput, events: joinEvents },
  async_merge: { input: joinInput, events: joinEvents },
  escalation: {
    input: { task: 't', port: { expired: nothing } },
    events: escalationEvents,
  },
  worker: {
    input: { task: 't', port: workerPort },
    events: [
      settled,
      { type: 'attempt.abort', reason: 'timeout' },
      { type: 'dispatch' },
      { type: 'verdict.retry' },
      ...['succeeded', 'failed', 'timed_out', 'cancelled'].map((verdict) => ({
        type: `verdict.${verdict}`,
      })),
    ] as never,
  },
  worker_host: {
    input: { onDraining: nothing, onFault: nothing },
    events: ['drain', 'idle', 'stop'].map((type) => ({ type: `host.${type}` })),
  },
  monitor: {
    input: {},
    events: [
      { type: 'watch.begin', watch: { run: 'r', intervalMs: 1 } },
      { type: 'sample.due', run: 'r' },
      { type: 'watch.end', run: 'r' },
    ] as never,
  },
  governor: logicSample,
  circuit_breaker: {
    input: { key: 'agent:a' },
    events: ['open', 'half_open', 'closed', 'stop'].map((state) => ({ type: `breaker.${state}` })),
  },
  provider_gate: {
    input: { provider: 'p', key: '' },
    events: ['open', 'throttled', 'paused', 'close'].map((state) => ({ type: `gate.${state}` })),
  },
  collection: {
    input: undefined,
    events: ['stop', 'children.drain', 'children.gone', 'restarts.exhausted'].map((type) => ({
      type,
    })),
  },
  pool: logicSample,
  agent: {
    input: { agent: 'a', load: {} },
    events: [{ type: 'work.began' }, { type: 'work.ended' }, { type: 'agent.drain' }] as never,
  },
};

const byValue = (snapshot: { value: unknown }): string => JSON.stringify(snapshot.value);

/** The barrier's state counts too: paths differ by what has arrived. */
function byBarrier(snapshot: {
  value: unknown;
  context: { barrier?: { tag: string; tally: unknown } };
}): string {
  const { barrier: state } = snapshot.context;
  return JSON.stringify([snapshot.value, state?.tag, state?.tally]);
}

/** Ids of the states that a machine can rest in: those without children. */
function leaves(machine: AnyStateMachine): string[] {
  const found: string[] = [];
  const walk = (node: typeof machine.root): void => {
    const children = Object.values(node.states);
    if (children.length === 0) found.push(node.path.join('.'));
    for (const child of children) walk(child);
  };
  walk(machine.root);
  return found;
}

const reachedPath = (value: unknown): string => {
  if (typeof value === 'string') return value;
  const [[key, inner] = ['', '']] = Object.entries(value as Record<string, unknown>);
  return `${key}.${reachedPath(inner)}`;
};

describe.each(Object.entries(allMachines()))('the %s machine', (name, machine) => {
  const sample = samples[name];

  it('has samples to be walked with', () => {
    expect(sample).toBeDefined();
  });

  it('reaches every one of its states by shortest paths', () => {
    const serializeState = (
      name === 'fork_join' || name === 'async_merge' ? byBarrier : byValue
    ) as never;
    const paths = getShortestPaths(machine, {
      input: sample?.input,
      events: sample?.events as never,
      serializeState,
    });
    const reached = new Set(
      paths.map(({ state }) => reachedPath((state as { value: unknown }).value)),
    );
    const missing = leaves(machine).filter((leaf) => !reached.has(leaf));
    expect(missing).toEqual([]);
  });

  it('names every action and guard, and refers to actors by name', () => {
    const text = JSON.stringify(machine.config, (_key, value: unknown) =>
      typeof value === 'function' ? '(inline)' : value,
    );
    const parsed = JSON.parse(text) as object;
    const inline: string[] = [];
    const walk = (value: unknown, path: string): void => {
      if (value === '(inline)' && !/\.(input|context|output|params)$/.test(path)) inline.push(path);
      if (typeof value === 'object' && value !== null) {
        for (const [key, inner] of Object.entries(value)) walk(inner, `${path}.${key}`);
      }
    };
    walk(parsed, '');
    expect(inline).toEqual([]);
  });

  it('has no child without a name and holds no more than a few', () => {
    const { invoke = [] } = machine.config as {
      invoke?: { id?: string; src: unknown } | { id?: string; src: unknown }[];
    };
    const invokes = Array.isArray(invoke) ? invoke : [invoke];
    expect(invokes.length).toBeLessThan(50);
    for (const { id, src } of invokes)
      expect([typeof id, typeof src]).toEqual(['string', 'string']);
  });
});
