import { describe, expect, it } from 'vitest';
import { carryOut, outcomes, sim } from '../support/run-harness.ts';
import { endsOf, typesOf } from './records.ts';

const never = { with: { duration: '10h' } };

/** Rows of docs/failures.md about groups; each title is the row's name there. */
describe('a failure in a group', () => {
  it('time is up, enough have succeeded: their results are used, defaults fill the gaps', async () => {
    const { report, state } = await carryOut({
      document: {
        version: 1,
        name: 'enough',
        tasks: {
          ...Object.fromEntries(
            [1, 2, 3, 4].map((n) => [`t${n}`, sim(n, { with: { output: n } })]),
          ),
          t5: sim(1, { ...never, default: 'assumed' }),
          reader: sim(1, { needs: ['five'] }),
        },
        groups: {
          five: {
            tasks: ['t1', 't2', 't3', 't4', 't5'],
            barrier: { timeout: '10m', on_timeout: 'continue_with_partial', min_success: '80%' },
          },
        },
      },
    });
    expect(state.groups.get('five')).toMatchObject({
      outcome: 'partial',
      output: [1, 2, 3, 4, 'assumed'],
    });
    expect(outcomes(report)['reader']).toBe('succeeded');
  });

  it('time is up, members make progress: it is extended once', async () => {
    const { state } = await carryOut({
      document: {
        version: 1,
        name: 'extension',
        agents: { busy: { uses: 'function', module: 'host:busy' } },
        tasks: { slow: { agent: 'busy' }, timer: sim(150) },
        groups: {
          group: {
            tasks: ['slow', 'timer'],
            barrier: { timeout: 100, on_timeout: ['extend', 'fail'], extension: { by: 100 } },
          },
        },
      },
      functions: {
        busy: async ({ progress, signal }) => {
          progress({ fraction: 0.1 });
          await new Promise((_resolve, reject) => signal.addEventListener('abort', reject));
        },
      },
    });
    const group = state.groups.get('group');
    expect(group?.extensions).toEqual([['slow']]);
    expect(group).toMatchObject({ outcome: 'failed', reason: 'deadline_exceeded' });
    expect(endsOf(state, 'timer')[0]).toBe('succeeded');
  });

  it('time is up, nobody gets on: members run one after another, and somebody is told', async () => {
    const { records, state } = await carryOut({
      document: {
        version: 1,
        name: 'fallback',
        tasks: { a: sim(150), b: sim(150) },
        groups: {
          pair: {
            tasks: ['a', 'b'],
            barrier: { timeout: 100, on_timeout: ['abort_and_fallback'], notify: 'operators' },
          },
        },
      },
    });
    const spans = records.filter((record) => record.type === 'task.started' && record.attempt > 1);
    expect((spans[1]?.at ?? 0) - (spans[0]?.at ?? 0)).toBe(150);
    expect(typesOf(records)).toContain('alert.raised');
    expect(state.groups.get('pair')?.outcome).toBe('succeeded');
  });

  it('all members fail: the group fails at once, and what needs it is skipped', async () => {
    const { state } = await carryOut({
      document: {
        version: 1,
        name: 'none',
        defaults: { retry: 1 },
        tasks: {
          a: sim(5, { with: { fail: true } }),
          b: sim(9, { with: { fail: true } }),
          reader: sim(1, { needs: ['pair'] }),
        },
        groups: {
          pair: { tasks: ['a', 'b'], barrier: { failure_criteria: 'all_agents_fail_or_timeout' } },
        },
      },
    });
    expect(state.groups.get('pair')).toMatchObject({
      outcome: 'failed',
      reason: 'min_success_missed',
    });
    expect(endsOf(state, 'reader').slice(0, 2)).toEqual(['skipped', 'upstream_failed']);
    expect(state.outcome).toBe('failed');
  });

  it('partial failure: results that are there are joined, with a census of the rest', async () => {
    const { state } = await carryOut({
      document: {
        version: 1,
        name: 'partial',
        tasks: {
          split: sim(1, {
            retry: 1,
            aspects: ['cost', 'risk', 'use', 'time'],
            with: { output: '${aspect}', fail: 0 },
            aggregate: 'list',
            barrier: { min_success: '50%' },
          }),
        },
      },
    });
    expect(state.groups.get('split')?.census).toMatchObject({ succeeded: 4 });
    const failing = await carryOut({
      document: {
        version: 1,
        name: 'partial',
        agents: { half: { uses: 'function', module: 'host:half' } },
        tasks: {
          split: {
            agent: 'half',
            retry: 1,
            shards: { of: [1, 2, 3, 4], count: 4 },
            with: '${shard.index}',
            barrier: { min_success: '50%' },
          },
        },
      },
      functions: {
        half: ({ input }) => {
          if (Number(input) % 2 === 1) throw new Error('odd');
          return input;
        },
      },
    });
    expect(failing.state.groups.get('split')).toMatchObject({
      outcome: 'partial',
      output: [0, null, 2, null],
      census: { succeeded: 2, failed: 2 },
    });
    expect(endsOf(failing.state, 'split')[0]).toBe('succeeded');
  });

  it('critical group fails: the run fails; one that is not critical only leaves a gap', async () => {
    const group = { tasks: ['a'], critical: false };
    const document = {
      version: 1,
      name: 'critical',
      defaults: { retry: 1 },
      tasks: { a: sim(1, { with: { fail: true } }), b: sim(2, { needs: ['g'] }) },
    };
    const failed = await carryOut({ document: { ...document, groups: { g: { tasks: ['a'] } } } });
    expect([failed.state.outcome, endsOf(failed.state, 'b')[0]]).toEqual(['failed', 'skipped']);
    const partial = await carryOut({ document: { ...document, groups: { g: group } } });
    expect([partial.state.outcome, endsOf(partial.state, 'b')[0]]).toEqual([
      'partial',
      'succeeded',
    ]);
  });

  it('members fail together: all of them begin again, up to so often, then the group fails once', async () => {
    const { records, state } = await carryOut({
      document: {
        version: 1,
        name: 'together',
        tasks: { a: sim(20, { with: { fail: true } }), b: sim(36_000_000) },
        groups: {
          pair: {
            tasks: ['a', 'b'],
            restart: { strategy: 'one_for_all', max_restarts: 2, within: '1h' },
          },
        },
      },
    });
    const begun = records.filter((record) => record.type === 'task.started' && record.task === 'b');
    expect(begun).toHaveLength(3);
    expect(state.groups.get('pair')?.outcome).toBe('failed');
    expect(records.filter(({ type }) => type === 'group.ended')).toHaveLength(1);
  });

  it('validation fails: the task is sent back with what was said, and rejected in the end', async () => {
    const { state } = await carryOut({
      document: {
        version: 1,
        name: 'sent-back',
        agents: { strict: { uses: 'function', module: 'host:strict' } },
        tasks: {
          draft: sim(5, { needs: [{ task: 'review', kind: 'validation' }] }),
          review: { agent: 'strict', needs: ['draft'] },
        },
      },
      functions: { strict: () => ({ accepted: false, feedback: 'too short' }) },
    });
    const row = state.tasks.get('draft');
    expect(row).toMatchObject({ outcome: 'failed', reason: 'validation_rejected', iteration: 2 });
    expect(JSON.stringify(row?.feedback)).toContain('too short');
  });

  it('validation takes too long: it has not objected, and the run goes on', async () => {
    const { state } = await carryOut({
      document: {
        version: 1,
        name: 'slow-check',
        agents: { checker: { uses: 'simulate', with: { duration: '1h' } } },
        tasks: { ux: sim(5), api: sim(5) },
        groups: {
          design: {
            tasks: ['ux', 'api'],
            cross_validation: { agents: ['checker'], timeout: '3m' },
          },
        },
      },
    });
    expect(state.groups.get('design')?.outcome).toBe('succeeded');
    expect([state.outcome, state.reason]).toEqual(['partial', 'gaps_tolerated']);
  });

  it('conflict cannot be resolved: the higher priority wins, and what was dropped is recorded', async () => {
    const write =
      (value: string) =>
      ({ memory }: { memory: { set(k: string, v: unknown): void } }) =>
        memory.set('parallel.result', value);
    const { records, core } = await carryOut({
      document: {
        version: 1,
        name: 'conflict',
        agents: {
          low: { uses: 'function', module: 'host:low' },
          high: { uses: 'function', module: 'host:high' },
        },
        tasks: {
          a: { agent: 'low', priority: 3, writes: ['parallel.result'] },
          b: { agent: 'high', priority: 8, writes: ['parallel.result'] },
        },
        groups: { pair: { tasks: ['a', 'b'] } },
      },
      functions: { low: write('low') as never, high: write('high') as never },
    });
    expect(core.ledger.memory.view().get('parallel.result')).toBe('high');
    const conflict = records.find((record) => record.type === 'conflict.recorded');
    expect(JSON.stringify(conflict?.dropped)).toContain('low');
  });

  it('conflict is left to a person: the run ends, tells the open question, and takes the answer', async () => {
    const write =
      (value: number) =>
      ({ memory }: { memory: { set(k: string, v: unknown): void } }) =>
        memory.set('parallel.shape', value);
    const { state } = await carryOut({
      document: {
        version: 1,
        name: 'manual',
        memory: { keys: { 'parallel.shape': { merge: 'manual' } } },
        agents: {
          one: { uses: 'function', module: 'host:one' },
          two: { uses: 'function', module: 'host:two' },
        },
        tasks: {
          a: { agent: 'one', writes: ['parallel.shape'] },
          b: { agent: 'two', writes: ['parallel.shape'] },
        },
        groups: { pair: { tasks: ['a', 'b'] } },
      },
      functions: { one: write(1) as never, two: write(2) as never },
    });
    expect([state.outcome, state.reason]).toEqual(['partial', 'conflicts_open']);
    expect(state.conflicts.open.size).toBe(1);
  });
});
