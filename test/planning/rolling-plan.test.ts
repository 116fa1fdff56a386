import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildGraph } from '../../src/planning/graph.ts';
import { rollingPlan } from '../../src/planning/dispatch-plan.ts';
import type { RollingPlan } from '../../src/planning/rolling-plan.ts';
import { predict } from '../../src/planning/schedule.ts';
import type { Workflow } from '../../src/workflow/model.ts';
import { workflowOf } from '../support/workflow-builder.ts';
import type { TaskInput } from '../support/workflow-builder.ts';
import { instanceWorkflow, resourceProjects, taskGraphs } from './instances.ts';
import { dispatchBy } from './live-dispatch.ts';
import { faultsOf } from './schedule-checker.ts';

const drawnTask = fc.record({
  back: fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 3 }),
  estimate: fc.integer({ min: 1, max: 20 }),
  actual: fc.integer({ min: 0, max: 60 }),
  cpu: fc.integer({ min: 0, max: 4 }),
  lock: fc.boolean(),
});

type Drawn = typeof drawnTask extends fc.Arbitrary<infer T> ? T : never;

function workflowFrom(draws: readonly Drawn[]): Workflow {
  const tasks = draws.map(({ back, estimate, cpu, lock }, at): [string, TaskInput] => {
    const needs = new Set(back.filter((distance) => distance <= at).map((d) => `t${at - d}`));
    const demand = { ...(cpu > 0 && { cpu }), ...(lock && { 'lock:file': 1 }) };
    return [`t${at}`, { estimate, needs: [...needs], demand }];
  });
  return workflowOf({ tasks: Object.fromEntries(tasks), resources: { cpu: 5 } });
}

/** The workflow as it turned out: a schedule is checked against what tasks really took. */
function asItWas(workflow: Workflow, durations: ReadonlyMap<string, number>): Workflow {
  const tasks = workflow.tasks.map((task) => {
    const ms = durations.get(task.id) ?? 0;
    return { ...task, estimate: { midMs: ms, highMs: ms } };
  });
  return { ...workflow, tasks };
}

function planOf(workflow: Workflow): RollingPlan {
  const plan = rollingPlan(buildGraph(workflow));
  if (!plan) throw new Error('there is no plan');
  return plan;
}

const twoOfThree = workflowOf({
  tasks: {
    a: { estimate: 10, demand: { cpu: 2 } },
    b: { estimate: 10, demand: { cpu: 2 } },
    c: { estimate: 10, demand: { cpu: 2 } },
  },
  resources: { cpu: 4 },
});

describe('a rolling plan', () => {
  it('carries every workflow out within its limits, whatever tasks really take', () => {
    fc.assert(
      fc.property(fc.array(drawnTask, { minLength: 2, maxLength: 16 }), (draws) => {
        const workflow = workflowFrom(draws);
        const plan = rollingPlan(buildGraph(workflow), { budget: 50 });
        if (!plan) return;
        const durations = new Map(draws.map(({ actual }, at) => [`t${at}`, actual]));
        const run = dispatchBy(plan, workflow, durations);
        const schedule = { ...predict(workflow, { budget: 1 }), ...run };
        expect(faultsOf(asItWas(workflow, durations), schedule)).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it('is as long as the plan when tasks take what was estimated', () => {
    for (const instance of [...resourceProjects(), ...taskGraphs().slice(0, 10)]) {
      const workflow = instanceWorkflow(instance);
      const durations = new Map(instance.tasks.map(({ id, duration }) => [id, duration]));
      const planned = predict(workflow, { budget: 200 });
      const plan = rollingPlan(buildGraph(workflow), { budget: 200 });
      if (!plan) throw new Error(`no plan for ${instance.name}`);
      const { makespanMs } = dispatchBy(plan, workflow, durations);
      expect(makespanMs, instance.name).toBeLessThanOrEqual(planned.makespanMs);
    }
  });

  it('holds a task back that would delay one which the plan has before it', () => {
    const workflow = workflowOf({
      tasks: {
        first: { estimate: 10, demand: { cpu: 2 } },
        large: { estimate: 50, demand: { cpu: 4 }, needs: ['first'] },
        after: { estimate: 40, demand: { cpu: 1 }, needs: ['large'] },
        small: { estimate: 30, demand: { cpu: 2 } },
      },
      resources: { cpu: 4 },
    });
    const plan = planOf(workflow);
    plan.ready('first');
    plan.ready('small');
    // Beside `first`, `small` would keep `large` from starting at 10.
    expect(plan.due(0)).toEqual({ tasks: ['first'], againAtMs: 60 });
  });

  it('lets a task that fits go ahead when the one that it was held for is very late', () => {
    const workflow = workflowOf({
      tasks: {
        slow: { estimate: 10, demand: { cpu: 1 } },
        next: { estimate: 100, demand: { cpu: 3 }, needs: ['slow'] },
        filler: { estimate: 60, demand: { cpu: 1 } },
      },
      resources: { cpu: 3 },
    });
    const durations = new Map([
      ['slow', 10_000],
      ['next', 100],
      ['filler', 60],
    ]);
    const { tasks } = dispatchBy(planOf(workflow), workflow, durations);
    expect(tasks.find(({ id }) => id === 'filler')?.finishMs).toBeLessThan(10_000);
  });

  it('tells a task once, and nothing while nothing has happened', () => {
    const plan = planOf(twoOfThree);
    for (const id of ['a', 'b', 'c']) plan.ready(id);
    expect(plan.due(0)?.tasks).toHaveLength(2);
    expect(plan.due(0)).toBeUndefined();
    plan.lookAgain();
    expect(plan.due(0)?.tasks).toEqual([]);
  });

  it('starts something whenever nothing runs, though the plan would wait', () => {
    const plan = planOf(twoOfThree);
    plan.ready('c');
    expect(plan.due(1_000_000)?.tasks).toEqual(['c']);
  });

  it('asks for all that is ready while others hold what it takes for free', () => {
    const plan = planOf(twoOfThree);
    for (const id of ['a', 'b', 'c']) plan.ready(id);
    expect(plan.due(0)?.tasks).toHaveLength(2);
    plan.lookAgain();
    expect(plan.due(10)?.tasks).toEqual([]);
    plan.lookAgain();
    expect(plan.due(11)?.tasks).toHaveLength(1);
  });

  it('gives a task that comes back its place again', () => {
    const plan = planOf(twoOfThree);
    plan.ready('a');
    expect(plan.due(0)?.tasks).toEqual(['a']);
    plan.started('a', 0);
    plan.left('a', 4);
    plan.ready('a');
    expect(plan.due(4)?.tasks).toEqual(['a']);
  });

  it('ranks by the plan, the first highest, and knows no task of elsewhere', () => {
    const plan = planOf(twoOfThree);
    const ranks = ['a', 'b', 'c'].map((id) => plan.rankOf(id) ?? 0);
    expect(new Set(ranks).size).toBe(3);
    expect([plan.rankOf('x'), plan.has('x')]).toEqual([undefined, false]);
    plan.ended('x');
  });

  it.each([
    ['nothing is scarce', { tasks: { a: { estimate: 1 }, b: { estimate: 1 } } }],
    [
      'durations are guesses',
      { tasks: { a: {}, b: {}, c: {}, d: { estimate: 1 } }, resources: { concurrency: 1 } },
    ],
    [
      'the document says which goes first',
      {
        tasks: { a: { estimate: 1, priority: 3 }, b: { estimate: 1, priority: 9 } },
        resources: { concurrency: 1 },
      },
    ],
    [
      'a task is split at run time',
      {
        tasks: {
          a: { estimate: 1, expand: { kind: 'for_each' as const, of: '${input.x}' } },
          b: { estimate: 1 },
        },
        resources: { concurrency: 1 },
      },
    ],
  ])('is not made where it is of no use: %s', (_, input) => {
    expect(rollingPlan(buildGraph(workflowOf(input)))).toBeUndefined();
  });

  it('takes durations from history', () => {
    const input = { tasks: { a: {}, b: {} }, resources: { concurrency: 1 } };
    const history = { worker: { count: 3, meanMs: 50, p90Ms: 60 } };
    expect(rollingPlan(buildGraph(workflowOf(input)), { history })).toBeDefined();
  });
});
