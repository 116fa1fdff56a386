import { readdirSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { starterModule, starterWorkflow } from '../../src/cli/starter.ts';
import { lowerBound } from '../../src/planning/bounds.ts';
import { buildGraph } from '../../src/planning/graph.ts';
import { planWorkflow } from '../../src/planning/plan.ts';
import { projectOf } from '../../src/planning/project.ts';
import { predict } from '../../src/planning/schedule.ts';
import type { TaskSpec, Workflow } from '../../src/workflow/model.ts';
import { loadWorkflow } from '../../src/workflow/validate.ts';
import { workflowOf } from '../support/workflow-builder.ts';
import { instanceWorkflow, taskGraphs } from './instances.ts';
import { acyclicWorkflow } from './random-workflow.ts';

function boundOf(workflow: Workflow): number {
  return lowerBound(projectOf(buildGraph(workflow))).ms;
}

interface Extras {
  readonly notBefore: { readonly afterMs: number } | undefined;
  readonly complexity: number | undefined;
  readonly estimated: boolean;
  readonly estimateMs: number;
  readonly priority: number;
  readonly members: number;
  readonly locked: boolean;
}

/** A task with what a document may say of its times, its lock and its parts. */
function decorated(task: TaskSpec, extras: Extras | undefined, ranked: boolean): TaskSpec {
  if (!extras) return task;
  const { notBefore, complexity, estimated, estimateMs, priority, members, locked } = extras;
  const estimate = { highMs: estimateMs, midMs: estimateMs };
  return {
    ...task,
    notBefore,
    complexity,
    estimate: estimated ? estimate : undefined,
    demand: locked ? { ...task.demand, 'lock:x': 1 } : task.demand,
    ...(ranked && { priority, prioritySet: true }),
    ...(members > 1 && {
      expand: { kind: 'for_each', of: Array.from({ length: members }, (_, at) => at) },
    }),
  };
}

const shipped = join(import.meta.dirname, '../../config/workflows');
const documents = [
  ...readdirSync(shipped).filter((name) => name.endsWith('.yaml')),
  'the starter of init',
];

async function documentOf(name: string): Promise<Workflow> {
  if (name.endsWith('.yaml')) return await loadWorkflow(join(shipped, name));
  const folder = await mkdtemp(join(tmpdir(), 'troupe-starter-'));
  const path = join(folder, 'workflow.yaml');
  await writeFile(path, starterWorkflow);
  await writeFile(join(folder, 'agents.mjs'), starterModule);
  try {
    return await loadWorkflow(path);
  } finally {
    await rm(folder, { recursive: true });
  }
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

  it('is no more than what the plan takes, whatever the document says about its tasks', () => {
    const extras = fc.array(
      fc.record({
        notBefore: fc.option(
          fc.nat(90_000).map((afterMs) => ({ afterMs })),
          { nil: undefined },
        ),
        complexity: fc.option(fc.constantFrom(0.5, 1, 2, 3, 4), { nil: undefined }),
        estimated: fc.boolean(),
        estimateMs: fc.integer({ min: 0, max: 90_000 }),
        priority: fc.integer({ min: 1, max: 10 }),
        members: fc.integer({ min: 1, max: 4 }),
        locked: fc.boolean(),
      }),
      { minLength: 14, maxLength: 14 },
    );
    const rules = fc.constantFrom(
      undefined,
      'document_order' as const,
      'longest_first' as const,
      'longest_path' as const,
    );
    const drawn = fc.tuple(acyclicWorkflow(14), extras, rules, fc.boolean());
    fc.assert(
      fc.property(drawn, ([workflow, draws, rule, ranked]) => {
        const tasks = workflow.tasks.map((task, at) => decorated(task, draws[at], ranked));
        const plan = planWorkflow({ ...workflow, tasks }, { budget: 30, rule });
        expect(plan.lower_bound_ms).toBeLessThanOrEqual(plan.makespan_ms + 1e-6);
        expect(plan.critical_path_ms).toBeLessThanOrEqual(plan.lower_bound_ms + 1e-6);
        for (const { makespan_ms, saves_ms } of plan.advice)
          expect(makespan_ms + saves_ms).toBeCloseTo(plan.makespan_ms, 3);
      }),
    );
  });

  it.each(documents)('is no more than the plan of %s takes', async (name) => {
    const workflow = await documentOf(name);
    for (const rule of [undefined, 'document_order', 'longest_first'] as const) {
      const plan = planWorkflow(workflow, { rule });
      expect(plan.lower_bound_ms).toBeLessThanOrEqual(plan.makespan_ms + 1e-6);
    }
  });

  it.each(documents)(
    'lets advice for %s drop only needs that the document can do without',
    async (name) => {
      const workflow = await documentOf(name);
      for (const { change, task: id, on } of planWorkflow(workflow).advice) {
        if (change !== 'drop_need') continue;
        const task = workflow.tasks.find((one) => one.id === id);
        expect(JSON.stringify([task?.with, task?.when])).not.toMatch(
          new RegExp(`(tasks|groups)\\.${on ?? ''}\\b`),
        );
      }
    },
  );

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
