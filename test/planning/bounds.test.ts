import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lowerBound } from '../../src/planning/bounds.ts';
import { buildGraph } from '../../src/planning/graph.ts';
import { planWorkflow } from '../../src/planning/plan.ts';
import { projectOf } from '../../src/planning/project.ts';
import { predict } from '../../src/planning/schedule.ts';
import type { Workflow } from '../../src/workflow/model.ts';
import { workflowOf } from '../support/workflow-builder.ts';
import { instanceWorkflow, taskGraphs } from './instances.ts';
import { acyclicWorkflow } from './random-workflow.ts';

function boundOf(workflow: Workflow): number {
  return lowerBound(projectOf(buildGraph(workflow))).ms;
}

describe('the lower bound', () => {
  it('never grows when a limit falls away', () => {
    fc.assert(
      fc.property(acyclicWorkflow(16), (workflow) => {
        const { capacity } = workflow.resources;
        const before = boundOf(workflow);
        for (const kind of [...Object.keys(capacity), 'concurrency']) {
          const resources =
            kind === 'concurrency'
              ? { ...workflow.resources, concurrency: undefined }
              : { ...workflow.resources, capacity: { ...capacity, [kind]: 1e9 } };
          expect(boundOf({ ...workflow, resources })).toBeLessThanOrEqual(before + 1e-6);
        }
      }),
    );
  });

  it('does not depend on the order of the document, nor does the critical path', () => {
    fc.assert(
      fc.property(acyclicWorkflow(14), fc.infiniteStream(fc.nat()), (workflow, keys) => {
        const shuffled = workflow.tasks
          .map((task) => ({ task, key: keys.next().value as number }))
          .sort((a, b) => a.key - b.key)
          .map(({ task }, index) => ({ ...task, index }));
        const other = { ...workflow, tasks: shuffled };
        // A stream on a group begins with the quickest member, and among equals with the first.
        if (workflow.tasks.some(({ needs }) => needs.some(({ kind }) => kind === 'stream'))) return;
        expect(boundOf(other)).toBe(boundOf(workflow));
        expect(predict(other, { budget: 1 }).makespanMs).toBeGreaterThanOrEqual(boundOf(workflow));
        expect(planWorkflow(other, { budget: 1 }).critical_path_ms).toBe(
          planWorkflow(workflow, { budget: 1 }).critical_path_ms,
        );
      }),
    );
  });

  it('is no more than what any order takes, when times have to be waited for', () => {
    const times = fc.array(fc.nat(200), { minLength: 14, maxLength: 14 });
    fc.assert(
      fc.property(acyclicWorkflow(14), times, (workflow, afterMs) => {
        const tasks = workflow.tasks.map((task, at) => ({
          ...task,
          notBefore: { afterMs: afterMs[at] ?? 0 },
        }));
        const schedule = predict({ ...workflow, tasks }, { budget: 60 });
        expect(schedule.lowerBoundMs).toBeLessThanOrEqual(schedule.makespanMs + 1e-6);
        schedule.tasks.forEach(({ startMs }, at) => {
          expect(startMs).toBeGreaterThanOrEqual(afterMs[at] ?? 0);
        });
      }),
    );
  });

  it('proves that no plan of the task graphs is better than the best known', () => {
    const unproven = taskGraphs().filter(
      (instance) => boundOf(instanceWorkflow(instance)) < instance.best,
    );
    expect(unproven.map(({ name }) => name)).toEqual([]);
  });

  it('lies on the grid of the durations', () => {
    const task = { estimate: 60_000, demand: { cpu: 1 } };
    const tasks = { a: task, b: task, c: task };
    expect(boundOf(workflowOf({ tasks, resources: { cpu: 2 } }))).toBe(120_000);
  });
});
