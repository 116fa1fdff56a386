import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { criticalPath } from '../../src/planning/critical-path.ts';
import { buildGraph } from '../../src/planning/graph.ts';
import { predict } from '../../src/planning/schedule.ts';
import { workflowOf } from '../support/workflow-builder.ts';
import {
  analyticInstances,
  everydayPlans,
  instanceWorkflow,
  resourceProjects,
  taskGraphs,
} from './instances.ts';
import type { Instance } from './instances.ts';
import { acyclicWorkflow } from './random-workflow.ts';
import { faultsOf } from './schedule-checker.ts';

const seconds = 1000;

describe('predict', () => {
  it('gives valid schedules between the lower bound and the first one', () => {
    fc.assert(
      fc.property(
        acyclicWorkflow(20),
        fc.integer({ min: 1, max: 80 }),
        fc.nat(),
        (workflow, budget, seed) => {
          const schedule = predict(workflow, { budget, seed });
          expect(faultsOf(workflow, schedule)).toEqual([]);
          expect(schedule.makespanMs).toBeGreaterThanOrEqual(schedule.lowerBoundMs - 1e-6);
          expect(schedule.makespanMs).toBeLessThanOrEqual(schedule.dispatchMs);
          expect(schedule.tried).toBeLessThanOrEqual(budget);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('gives valid schedules where the document sets priorities', () => {
    const priorities = fc.array(fc.integer({ min: 1, max: 10 }), { minLength: 14, maxLength: 14 });
    fc.assert(
      fc.property(acyclicWorkflow(14), priorities, (workflow, drawn) => {
        const tasks = workflow.tasks.map((task, at) => ({
          ...task,
          priority: drawn[at] ?? 5,
          prioritySet: true,
        }));
        expect(faultsOf({ ...workflow, tasks }, predict({ ...workflow, tasks }))).toEqual([]);
      }),
    );
  });

  it('is deterministic by seed', () => {
    const [instance] = resourceProjects();
    const workflow = instanceWorkflow(instance as Instance);
    expect(predict(workflow, { seed: 7 })).toEqual(predict(workflow, { seed: 7 }));
  });

  it('takes exactly the critical path when nothing but dependencies limits it', () => {
    fc.assert(
      fc.property(acyclicWorkflow(), (workflow) => {
        const agents = Object.fromEntries(
          Object.entries(workflow.agents).map(([id, agent]) => [
            id,
            { ...agent, limits: { ...agent.limits, concurrency: undefined } },
          ]),
        );
        const tasks = workflow.tasks.map((task) => ({ ...task, demand: {} }));
        const free = {
          ...workflow,
          agents,
          tasks,
          resources: { capacity: {}, concurrency: undefined },
        };
        expect(predict(free).makespanMs).toBe(criticalPath(buildGraph(free)).makespanMs);
      }),
    );
  });

  it('does not let a large task at the head hold up small ones that fit', () => {
    const tasks = {
      runs: { estimate: 10 * seconds, demand: { cpu: 2 }, priority: 10 },
      large: { estimate: 10 * seconds, demand: { cpu: 3 }, priority: 9 },
      small: { estimate: 5 * seconds, demand: { cpu: 1 }, priority: 1 },
    };
    const schedule = predict(workflowOf({ tasks, resources: { cpu: 3 } }));
    expect(schedule.tasks.map(({ startMs }) => startMs)).toEqual([0, 10 * seconds, 0]);
  });

  it('starts the higher priority first where the document says so', () => {
    const tasks = {
      low: { estimate: 9 * seconds, priority: 2 },
      high: { estimate: 1 * seconds, priority: 9 },
    };
    const [low, high] = predict(workflowOf({ tasks, resources: { concurrency: 1 } })).tasks;
    expect([low?.startMs, high?.startMs]).toEqual([1 * seconds, 0]);
  });

  it('keeps to the concurrency of an agent and names it as the bottleneck', () => {
    const task = { agent: 'writer', estimate: 10 * seconds };
    const workflow = workflowOf({
      tasks: { a: task, b: task, c: task },
      agents: { writer: { limits: { concurrency: 2 } } },
    });
    const schedule = predict(workflow);
    expect(schedule.makespanMs).toBe(20 * seconds);
    expect(schedule.bottleneck).toBe('agent:writer');
  });

  it('adds up what tasks wait for, by resource', () => {
    const task = { estimate: 10 * seconds, demand: { engine: 1, cpu: 1 } };
    const schedule = predict(
      workflowOf({ tasks: { a: task, b: task, c: task }, resources: { cpu: 2 } }),
    );
    expect(schedule.waitsMs).toEqual({ engine: 30 * seconds });
    expect(schedule.bottleneck).toBe('engine');
  });

  it('blames the critical path as long as waits cost nothing', () => {
    const tasks = {
      long: { estimate: 30 * seconds },
      a: { estimate: 5 * seconds, demand: { engine: 1 } },
      b: { estimate: 5 * seconds, demand: { engine: 1 } },
    };
    expect(predict(workflowOf({ tasks }))).toMatchObject({
      bottleneck: 'critical_path',
      waitsMs: { engine: 5 * seconds },
    });
  });

  it('plans the members of an expanding task side by side where there is room', () => {
    const aspect = (id: string) => ({ id, agent: undefined, with: undefined });
    const expand = { kind: 'aspects' as const, aspects: ['x', 'y', 'z', 'w'].map(aspect) };
    const tasks = {
      look: { estimate: 10 * seconds, expand },
      after: { estimate: seconds, needs: ['look'] },
    };
    const spanWith = (concurrency: number) =>
      predict(workflowOf({ tasks, resources: { concurrency } })).tasks.map((task) => task.finishMs);
    expect(spanWith(4)).toEqual([10 * seconds, 11 * seconds]);
    expect(spanWith(2)).toEqual([20 * seconds, 21 * seconds]);
  });

  it('lets no member of an expanding task start before what the task needs has ended', () => {
    const expand = { kind: 'shards' as const, of: '${input.items}', count: 3, size: undefined };
    const tasks = {
      before: { estimate: seconds },
      each: { estimate: seconds, expand, needs: ['before'] },
    };
    const [, each] = predict(workflowOf({ tasks })).tasks;
    expect(each).toEqual({ id: 'each', startMs: seconds, finishMs: 2 * seconds });
  });

  it('plans an expanding task of no members as over at once', () => {
    const expand = { kind: 'for_each' as const, of: [] };
    const tasks = {
      each: { estimate: 10 * seconds, expand },
      after: { estimate: seconds, needs: ['each'] },
    };
    const [each, after] = predict(workflowOf({ tasks })).tasks;
    expect([each?.finishMs, after?.startMs]).toEqual([0, 0]);
  });

  it('lets a task that asks for more than there is run alone', () => {
    const tasks = {
      big: { estimate: seconds, demand: { cpu: 9 } },
      small: { estimate: seconds, demand: { cpu: 1 } },
    };
    expect(predict(workflowOf({ tasks, resources: { cpu: 4 } })).makespanMs).toBe(2 * seconds);
  });

  it('plans an empty workflow', () => {
    expect(predict(workflowOf({ tasks: {} }))).toMatchObject({
      tasks: [],
      makespanMs: 0,
      lowerBoundMs: 0,
    });
  });
});

describe('predict on known instances', () => {
  it.each(analyticInstances().map((instance) => [instance.name, instance] as const))(
    'finds the optimum of %s',
    (_, instance) => {
      const workflow = instanceWorkflow(instance);
      const schedule = predict(workflow);
      expect(faultsOf(workflow, schedule)).toEqual([]);
      expect(schedule.makespanMs).toBe(instance.optimum);
    },
  );

  it.each(analyticInstances().map((instance) => [instance.name, instance] as const))(
    'makes of %s what is known of the plain rule, when it follows that',
    (_, instance) => {
      const rule = instance.rule.startsWith('longest first') ? 'longest_first' : 'document_order';
      const workflow = instanceWorkflow(instance);
      const schedule = predict(workflow, { rule });
      expect(faultsOf(workflow, schedule)).toEqual([]);
      expect([schedule.makespanMs, schedule.tried]).toEqual([instance.made, 1]);
    },
  );

  it('takes the published time for every everyday plan', () => {
    const minute = 60 * seconds;
    for (const { steps, total_minutes } of everydayPlans()) {
      const tasks = steps.map(({ id, minutes, deps }) => [
        id,
        { estimate: minutes * minute, needs: deps },
      ]);
      expect(predict(workflowOf({ tasks: Object.fromEntries(tasks) })).makespanMs).toBe(
        total_minutes * minute,
      );
    }
  });

  it('comes within 0.15 percent of the best known task graphs on average', () => {
    expect(meanOverBest('task graphs', taskGraphs())).toBeLessThan(0.15);
  });

  it('comes within half a percent of the best known resource projects on average', () => {
    expect(meanOverBest('resource projects', resourceProjects())).toBeLessThan(0.5);
  });
});

/** Percent over the best known makespan, mean over the instances; printed, so that a drift can be seen. */
function meanOverBest(label: string, instances: readonly Instance[]): number {
  const excess = instances.map((instance) => {
    const workflow = instanceWorkflow(instance);
    const schedule = predict(workflow);
    expect(faultsOf(workflow, schedule)).toEqual([]);
    expect(schedule.makespanMs).toBeGreaterThanOrEqual(instance.lower);
    return (100 * (schedule.makespanMs - instance.best)) / instance.best;
  });
  const mean = excess.reduce((sum, value) => sum + value, 0) / excess.length;
  process.stdout.write(
    `${label}: ${mean.toFixed(2)} % over the best known, mean of ${instances.length}\n`,
  );
  return mean;
}
