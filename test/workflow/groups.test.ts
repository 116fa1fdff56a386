import { describe, expect, it } from 'vitest';
import { needsOf, taskOf, workflowOf } from './checked.ts';

const agents =
  'agents: {w: {uses: simulate}, v: {uses: simulate}, u: {uses: simulate}}\ndefaults: {agent: w}\n';

describe('a group', () => {
  it('tells its members, in document order, and raises their priority', async () => {
    const workflow = await workflowOf(
      `${agents}tasks: {a: , b: {priority: 2}, c: }\ngroups: {g: {tasks: [c, b], mode: async_merge, critical: false}}`,
    );
    expect(workflow.groups).toMatchObject([
      { id: 'g', members: ['b', 'c'], mode: 'async_merge', critical: false, validators: [] },
    ]);
    expect(
      ['a', 'b', 'c'].map((id) => [taskOf(workflow, id).group, taskOf(workflow, id).priority]),
    ).toEqual([
      [undefined, 5],
      ['g', 2],
      ['g', 7],
    ]);
  });

  it('waits by default for all members, counting down, and retries failures', async () => {
    const workflow = await workflowOf(`${agents}tasks: {a: }\ngroups: {g: {tasks: [a]}}`);
    expect(workflow.groups[0]?.barrier).toEqual({
      type: 'count_down',
      minSuccess: { share: 1 },
      required: [],
      onTimeout: ['proceed_with_available'],
      extension: { byMs: 300_000, max: 1 },
      onFailure: 'retry_failed_worker',
    });
  });

  it('hands its needs to every member, and can be needed', async () => {
    const workflow =
      await workflowOf(`${agents}tasks: {p: , a: , b: {needs: [p]}, after: {needs: [g, {group: g, kind: stream}]}}
groups: {g: {tasks: [a, b], needs: [p, {resource: api}]}}`);
    expect(needsOf(workflow, 'a')).toEqual(['data task p']);
    expect(needsOf(workflow, 'b')).toEqual(['data task p']);
    expect(taskOf(workflow, 'b').demand).toEqual({ api: 1 });
    expect(needsOf(workflow, 'after')).toEqual(['data group g', 'stream group g']);
  });

  it('generates a check of every member by every other agent', async () => {
    const workflow =
      await workflowOf(`${agents}tasks: {a: {agent: w}, b: {agent: v}, after: {needs: [g]}}
groups: {g: {tasks: [a, b], cross_validation: {agents: [w, v, u], timeout: 3m, priority: 6}}}`);
    const validators = ['a@v', 'a@u', 'b@w', 'b@u'];
    expect(workflow.groups[0]?.validators).toEqual(validators);
    expect(workflow.tasks.map(({ id }) => id)).toEqual(['a', 'b', 'after', ...validators]);
    expect(taskOf(workflow, 'b@u')).toMatchObject({
      agent: 'u',
      index: 6,
      validates: 'b',
      generated: true,
      timeoutMs: 180_000,
      priority: 6,
      with: { task: 'b', output: '${tasks.b.output}' },
    });
    expect(needsOf(workflow, 'b@u')).toEqual(['data task b']);
    expect(needsOf(workflow, 'a')).toEqual(['validation task a@v', 'validation task a@u']);
  });

  it('generates no check when cross-validation is off or nobody else is listed', async () => {
    const workflow = await workflowOf(`${agents}tasks: {a: , b: }
groups: {g: {tasks: [a], cross_validation: {agents: [v], enabled: false}}, h: {tasks: [b], cross_validation: {agents: [w]}}}`);
    expect(workflow.tasks).toHaveLength(2);
    expect(workflow.groups.map(({ validators }) => validators)).toEqual([[], []]);
  });
});

describe('tiers', () => {
  it('chain the workers of a sequential tier', async () => {
    const workflow = await workflowOf(
      `${agents}tasks: {a: , b: , c: }\ntiers: [{mode: sequential, workers: [a, b]}, {mode: sequential, workers: [c]}]`,
    );
    expect(['a', 'b', 'c'].map((id) => needsOf(workflow, id))).toEqual([
      [],
      ['data task a'],
      ['data task b'],
    ]);
    expect(workflow.groups).toEqual([]);
  });

  it('make a group of a parallel tier, which the whole next tier waits for', async () => {
    const workflow = await workflowOf(`${agents}tasks: {a: , b: , c: , d: , e: }
tiers:
  - {tier: 1, mode: sequential, workers: [a]}
  - {id: two, mode: parallel, workers: [b, c], synchronization: async_merge, critical: false}
  - {mode: parallel, workers: [d, e], kind: stream}`);
    expect(workflow.groups).toMatchObject([
      { id: 'tier-two', tier: 'two', members: ['b', 'c'], mode: 'async_merge', critical: false },
      { id: 'tier-3', tier: '3', members: ['d', 'e'], mode: 'fork_join', critical: true },
    ]);
    expect(needsOf(workflow, 'c')).toEqual(['data task a']);
    expect(needsOf(workflow, 'e')).toEqual(['stream group tier-two']);
    expect(taskOf(workflow, 'b').priority).toBe(7);
  });

  it('end in the task that aggregates', async () => {
    const workflow = await workflowOf(`${agents}tasks: {a: , b: , sum: , last: }
tiers:
  - {mode: parallel, workers: [a, b, sum], synchronization: barrier, aggregate: sum}
  - {mode: sequential, workers: [last]}`);
    expect(workflow.groups[0]?.members).toEqual(['a', 'b']);
    expect(needsOf(workflow, 'sum')).toEqual(['data group tier-1']);
    expect(needsOf(workflow, 'last')).toEqual(['data task sum']);
    expect(taskOf(workflow, 'sum').group).toBeUndefined();
  });

  it('may aggregate by a word or a function instead', async () => {
    const workflow = await workflowOf(`${agents}tasks: {a: , b: }
tiers: [{mode: parallel, workers: [a], aggregate: union}, {mode: parallel, workers: [b], aggregate: {function: "./m.mjs"}}]`);
    expect(workflow.groups.map(({ aggregate }) => aggregate)).toEqual([
      { kind: 'union' },
      { kind: 'function', module: '/flows/m.mjs', export: 'default' },
    ]);
  });
});
