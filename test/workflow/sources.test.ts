import { describe, expect, it } from 'vitest';
import { needsOf, taskOf, validated, workflowOf } from './checked.ts';

const ids = Array.from({ length: 22 }, (_, index) => `W${String(index + 1).padStart(2, '0')}`);

const workforce = `
name: workforce
agents: { hand: { uses: simulate, with: { duration: 10ms } } }
defaults: { agent: hand, retry: 2 }
tasks: { ${ids.map((id) => `${id}: `).join(', ')} }
tiers:
  - { tier: 1, mode: Sequential, workers: [W01, W02, W03, W04], synchronization: N/A }
  - { tier: 2, mode: Parallel, workers: [W05, W06, W07, W08], synchronization: Async merge }
  - tier: 3
    mode: Parallel
    workers: [W09, W10, W11, W12, W13]
    synchronization: Barrier
    aggregate: W14
    barrier: { type: count_down, expected_workers: 5, timeout: 1h, on_timeout: proceed_with_available, on_failure: retry_failed_worker }
  - { tier: 4, mode: Parallel, workers: [W15, W16, W17, W18], synchronization: Async merge }
  - { tier: 5, mode: Sequential, workers: [W19, W20], synchronization: N/A }
  - { tier: 6, mode: Sequential, workers: [W21, W22], synchronization: N/A }
memory: { keys: { "parallel.results.*": { merge: priority_merge } } }
`;

const design = `
name: product-design
agents:
  analyst: { uses: simulate, owns: [project_metadata, problem_analysis, user_research] }
  pm: { uses: simulate, owns: [requirements, user_stories, acceptance_criteria] }
  ux_expert: { uses: simulate }
  architect: { uses: simulate, owns: [technical_architecture, system_design, api_specs] }
  developer: { uses: simulate }
  qa: { uses: simulate }
tasks:
  analyst: { estimated_duration: 3-5_minutes, resource_requirements: { cpu: medium, memory: low } }
  pm: { dependencies: [analyst.completion], estimated_duration: 4-6_minutes, resource_requirements: { cpu: high, memory: medium } }
  ux_expert:
    dependencies: [pm.completion, { task: architect, kind: context_dependency }]
    inputs: [pm.user_stories, analyst.target_users]
    outputs: [ux_outputs]
    priority: 7
    timeout: 8_minutes
    resource_requirements: { cpu: 30, memory: 25 }
  architect:
    dependencies: [pm.completion, { resource: template_engine }]
    outputs: [architecture_outputs]
    priority: 8
    timeout: 10_minutes
    resource_requirements: { cpu: 40, memory: 35 }
  developer: { dependencies: [design], estimated_duration: 8-12_minutes, resource_requirements: { cpu: very_high, memory: high } }
  qa: { dependencies: [developer.completion], resource_requirements: { cpu: medium, memory: medium } }
groups:
  design:
    agents: [ux_expert, architect]
    execution_mode: truly_parallel
    context_sharing: read_only_shared_write_isolated
    synchronization_strategy:
      type: smart_barrier
      timeout: 10_minutes
      timeout_strategies: [extend_timeout, continue_with_partial, abort_and_fallback]
      extension: { extension: 5_minutes, max_extensions: 1 }
      success_criteria: at_least_one_agent_succeeds
    cross_validation: { enabled: true, validation_agents: [architect, ux_expert], validation_timeout: 3_minutes }
resources: { total_cpu_units: 100, total_memory_units: 100, concurrent_agent_limit: 3, cpu_oversubscription: 1.2, memory_strict: true, template_engine: 3 }
`;

describe('the six-tier workforce', () => {
  it('has no fault and no warning', async () => {
    const { faults, warnings } = await validated(workforce);
    expect([...faults, ...warnings]).toEqual([]);
  });

  it('becomes three groups between chains', async () => {
    const workflow = await workflowOf(workforce);
    expect(workflow.groups.map(({ id, mode, members }) => [id, mode, members.length])).toEqual([
      ['tier-2', 'async_merge', 4],
      ['tier-3', 'fork_join', 5],
      ['tier-4', 'async_merge', 4],
    ]);
    expect(workflow.groups[1]?.barrier).toMatchObject({
      type: 'count_down',
      expected: 5,
      timeoutMs: 3_600_000,
      onFailure: 'retry_failed_worker',
    });
    expect(
      ['W01', 'W04', 'W08', 'W13', 'W14', 'W18', 'W19', 'W22'].map(
        (id) => needsOf(workflow, id)[0],
      ),
    ).toEqual([
      undefined,
      'data task W03',
      'data task W04',
      'data group tier-2',
      'data group tier-3',
      'data task W14',
      'data group tier-4',
      'data task W21',
    ]);
    expect(taskOf(workflow, 'W22').retry.maxAttempts).toBe(2);
  });
});

describe('the five-group product design', () => {
  it('has no fault and no warning', async () => {
    const { faults, warnings } = await validated(design);
    expect([...faults, ...warnings]).toEqual([]);
  });

  it('keeps ranges, levels, units, context and the smart barrier', async () => {
    const workflow = await workflowOf(design);
    expect(taskOf(workflow, 'analyst')).toMatchObject({
      estimate: { midMs: 240_000, highMs: 300_000 },
      demand: { cpu: 30, memory: 15 },
    });
    expect(needsOf(workflow, 'ux_expert')).toEqual([
      'data task pm',
      'context task architect',
      'validation task ux_expert@architect',
    ]);
    expect(taskOf(workflow, 'architect')).toMatchObject({
      demand: { cpu: 40, memory: 35, template_engine: 1 },
      priority: 8,
      writes: ['architect.architecture_outputs'],
    });
    expect(workflow.groups[0]).toMatchObject({
      id: 'design',
      validators: ['ux_expert@architect', 'architect@ux_expert'],
      barrier: {
        type: 'smart',
        minSuccess: { count: 1 },
        onTimeout: ['extend', 'proceed_with_available', 'abort_and_fallback'],
        extension: { byMs: 300_000, max: 1 },
      },
    });
    expect(needsOf(workflow, 'developer')).toEqual(['data group design']);
    expect(workflow.resources).toEqual({
      capacity: { cpu: 120, memory: 100, template_engine: 3 },
      concurrency: 3,
    });
  });
});
