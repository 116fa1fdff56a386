import { describe, expect, it } from 'vitest';

import type { BarrierSpec } from '../../src/workflow/model.ts';
import { faultsOf, taskOf, validated, workflowOf } from './checked.ts';

const tasks =
  'defaults: {agent: w}\nagents: {w: {uses: simulate}}\ntasks: {a: , b: {weight: 2.5}}\n';

async function barrierOf(text: string): Promise<BarrierSpec | undefined> {
  return (await workflowOf(tasks + text)).groups[0]?.barrier;
}

function ofGroup(barrier: string, rest = ''): string {
  return `groups: {g: {tasks: [a, b]${rest}, barrier: ${barrier}}}`;
}

describe('a barrier of the document', () => {
  it('counts weights of tasks, which those of the barrier override', async () => {
    expect(await barrierOf(ofGroup('{min_success: {weight: 3}}'))).toMatchObject({
      minSuccess: { weight: 3 },
      weights: { b: 2.5 },
    });
    const barrier = await barrierOf(ofGroup('{min_success: {weight: 3}, weights: {a: 2, b: 4}}'));
    expect(barrier?.weights).toEqual({ a: 2, b: 4 });
  });

  it('counts weights of aspects', async () => {
    const workflow = await workflowOf(
      `${tasks.replace('a: ,', 'a: {aspects: {x: {weight: 2}, y: }, barrier: {min_success: {weight: 2}}},')}`,
    );
    expect(taskOf(workflow, 'a').expand).toMatchObject({
      aspects: [{ id: 'x', weight: 2 }, { id: 'y' }],
    });
  });

  it('has a quorum, which is what has to succeed unless it says otherwise', async () => {
    expect(await barrierOf(ofGroup('{quorum: 1}'))).toMatchObject({
      quorum: { count: 1 },
      minSuccess: { count: 1 },
    });
    expect(await barrierOf(ofGroup('{quorum: 100%, min_success: 1}'))).toMatchObject({
      quorum: { share: 1 },
      minSuccess: { count: 1 },
    });
  });

  it('has deadlines in either spelling', async () => {
    const expected = { softTimeoutMs: 60_000, timeoutMs: 120_000, hardTimeoutMs: 180_000 };
    expect(
      await barrierOf(ofGroup('{soft_deadline: 1m, timeout: 2m, hard_deadline: 3m}')),
    ).toMatchObject(expected);
    expect(
      await barrierOf(ofGroup('{soft_timeout: 1m, default_timeout: 2m, hard_timeout: 3m}')),
    ).toMatchObject(expected);
  });

  it('lets late members run on where the barrier or the group says so', async () => {
    expect((await barrierOf(ofGroup('{late: merge}')))?.late).toBe('merge');
    expect((await barrierOf(ofGroup('{}', ', late: merge')))?.late).toBe('merge');
    expect((await barrierOf(ofGroup('{late: drop}', ', late: merge')))?.late).toBeUndefined();
    const workflow = await workflowOf(
      `${tasks}tiers: [{mode: parallel, workers: [a, b], late: merge}]`,
    );
    expect(workflow.groups[0]?.barrier.late).toBe('merge');
  });

  it('tells whom to notify', async () => {
    expect((await barrierOf(ofGroup('{notify: true}')))?.notify).toBe('');
    expect((await barrierOf(ofGroup('{notification: operators}')))?.notify).toBe('operators');
    expect((await barrierOf(ofGroup('{notify: false}')))?.notify).toBeUndefined();
  });

  it('takes what it does not say from barrier_synchronization', async () => {
    const fallback = 'barrier_synchronization: {type: smart, timeout: 9m, late: merge}\n';
    expect(await barrierOf(fallback + ofGroup('{timeout: 1m}'))).toMatchObject({
      type: 'smart',
      timeoutMs: 60_000,
      late: 'merge',
    });
  });

  it('keeps the hash of a document that says nothing of all this', async () => {
    const { barrier } = (await workflowOf(`${tasks}groups: {g: {tasks: [a]}}`)).groups[0] ?? {};
    expect(Object.keys(barrier ?? {}).sort()).toEqual([
      'extension',
      'minSuccess',
      'onFailure',
      'onTimeout',
      'required',
      'type',
    ]);
  });
});

const source = `barrier_synchronization:
  implementation: smart_barrier_with_partial_results
  phases:
    phase_1_initiation: [start_all_parallel_agents_simultaneously, begin_progress_monitoring]
    phase_2_execution_monitoring: [detect_potential_conflicts_early]
    phase_3_completion_detection: [wait_for_all_agents_OR_timeout]
    phase_4_synchronization: [merge_parallel_results]
  timeout_handling:
    default_timeout: 10_minutes
    timeout_strategies:
      continue_with_partial:
        condition: at_least_one_agent_completed_successfully
        action: use_completed_results_fill_gaps_with_defaults
        quality_impact: medium
      extend_timeout:
        condition: agents_making_progress_but_need_more_time
        extension: 5_minutes_maximum
        max_extensions: 1
      abort_and_fallback:
        condition: no_agents_completing_OR_critical_errors
        action: fall_back_to_sequential_execution
        notification: alert_system_administrators
`;

describe('the smart barrier of the source workflow', () => {
  it('is read as it is written there', async () => {
    expect(await barrierOf(`${source}groups: {g: {tasks: [a, b]}}`)).toMatchObject({
      type: 'smart',
      timeoutMs: 600_000,
      minSuccess: { count: 1 },
      onTimeout: ['proceed_with_available', 'extend', 'abort_and_fallback'],
      extension: { byMs: 300_000, max: 1 },
      notify: 'alert_system_administrators',
    });
  });

  it.each<readonly [string, object]>([
    ['{success_criteria: at_least_two_agents_succeed}', { minSuccess: { count: 2 } }],
    ['{success_criteria: at_least_1_agent_succeeds}', { minSuccess: { count: 1 } }],
    ['{success_criteria: sufficient_agents_completed_80%}', { minSuccess: { share: 0.8 } }],
    ['{success_criteria: all_agents_succeed}', { minSuccess: { share: 1 } }],
    ['{failure_criteria: all_agents_fail_or_timeout}', { minSuccess: { count: 1 } }],
    ['{failure_criteria: any_agent_fails}', { onFailure: 'fail_fast' }],
    [
      '{on_timeout: {proceed_with_available: {condition: sufficient_agents_completed_80%}}}',
      { minSuccess: { share: 0.8 }, onTimeout: ['proceed_with_available'] },
    ],
    [
      '{on_timeout: {extend_timeout: {condition: critical_agents_still_processing, extension: 2m}}}',
      { onTimeout: ['extend'], extension: { byMs: 120_000, max: 1 } },
    ],
    [
      '{barrier_type: smart_barrier, success_criteria: at_least_one_agent_succeeds, failure_criteria: all_agents_fail_or_timeout}',
      { type: 'smart', minSuccess: { count: 1 } },
    ],
  ])('is read as %s', async (barrier, expected) => {
    const text = `groups: {g: {tasks: [a, b], synchronization: ${barrier}}}`;
    expect(await barrierOf(text)).toMatchObject(expected);
  });

  it('is named by its type alone', async () => {
    const text = 'groups: {g: {tasks: [a, b], synchronization: barrier_sync}}';
    expect((await barrierOf(text))?.type).toBe('count_down');
  });
});

describe('a barrier that makes no sense', () => {
  const where = 'groups.g.barrier';
  it.each<readonly [string, string]>([
    ['{soft_deadline: 2m, timeout: 1m}', `TRP_WORKFLOW_UNSATISFIABLE 4:39 ${where}.soft_deadline`],
    [
      '{soft_deadline: 2m, hard_deadline: 2m}',
      `TRP_WORKFLOW_UNSATISFIABLE 4:39 ${where}.soft_deadline`,
    ],
    ['{timeout: 2m, hard_deadline: 1m}', `TRP_WORKFLOW_UNSATISFIABLE 4:52 ${where}.hard_deadline`],
    ['{quorum: 3}', `TRP_WORKFLOW_UNSATISFIABLE 4:39 ${where}.quorum`],
    ['{quorum: 1, min_success: 2}', `TRP_WORKFLOW_UNSATISFIABLE 4:39 ${where}.quorum`],
    ['{min_success: {weight: 3.6}}', `TRP_WORKFLOW_UNSATISFIABLE 4:39 ${where}.min_success`],
    ['{quorum: {weight: 9}, min_success: 1}', `TRP_WORKFLOW_UNSATISFIABLE 4:39 ${where}.quorum`],
    ['{weights: {c: 2}}', `TRP_WORKFLOW_UNKNOWN_REF 4:49 ${where}.weights.c`],
    ['{weights: {a: 0}}', `TRP_WORKFLOW_INVALID 4:52 ${where}.weights.a`],
    ['{late: keep}', `TRP_WORKFLOW_INVALID 4:45 ${where}.late`],
    [
      '{failure_criteria: all_agents_fail, min_success: 2}',
      `TRP_WORKFLOW_INVALID 4:74 ${where}.min_success`,
    ],
    ['{on_timeout: {give_up: {}}}', `TRP_WORKFLOW_INVALID 4:39 ${where}.on_timeout`],
    [
      '{on_timeout: {extend: {condition: whenever}}}',
      `TRP_WORKFLOW_INVALID 4:39 ${where}.on_timeout`,
    ],
  ])('is refused: %s', async (barrier, expected) => {
    expect(await faultsOf(tasks + ofGroup(barrier))).toEqual([expected]);
  });

  it('is refused where a split task has it: its parts end with it and have no names', async () => {
    const split = (barrier: string): string =>
      `tasks: {s: {uses: simulate, for_each: [1, 2], barrier: ${barrier}}}`;
    expect(await faultsOf(split('{late: merge}'))).toEqual([
      'TRP_WORKFLOW_UNSATISFIABLE 1:57 tasks.s.barrier.late',
    ]);
    expect(await faultsOf(split('{weights: {x: 2}}'))).toEqual([
      'TRP_WORKFLOW_UNSATISFIABLE 1:57 tasks.s.barrier.weights',
    ]);
  });

  it('is told with what to do about it', async () => {
    const { faults } = await validated(tasks + ofGroup('{weights: {bb: 2}, min_success: 1}'));
    expect(faults[0]?.hint).toContain('b');
  });
});
