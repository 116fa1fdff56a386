import fc from 'fast-check';
import { findCycle } from '../../src/planning/graph.ts';
import type { Workflow } from '../../src/workflow/model.ts';
import { workflowOf } from '../support/workflow-builder.ts';
import type { NeedInput, TaskInput } from '../support/workflow-builder.ts';

interface TaskDraw {
  readonly back: readonly {
    readonly distance: number;
    readonly kind: 'data' | 'stream' | 'context';
  }[];
  readonly estimate: number;
  readonly cpu: number;
  readonly lock: boolean;
  readonly grouped: boolean;
  readonly checks: boolean;
  readonly agent: string;
}

const taskDraw: fc.Arbitrary<TaskDraw> = fc.record({
  back: fc.array(
    fc.record({
      distance: fc.integer({ min: 1, max: 6 }),
      kind: fc.constantFrom(
        'data' as const,
        'data' as const,
        'stream' as const,
        'context' as const,
      ),
    }),
    { maxLength: 3 },
  ),
  estimate: fc.integer({ min: 0, max: 20 }),
  cpu: fc.integer({ min: 0, max: 4 }),
  lock: fc.boolean(),
  grouped: fc.boolean(),
  checks: fc.integer({ min: 0, max: 5 }).map((drawn) => drawn === 0),
  agent: fc.constantFrom('a', 'b', 'c'),
});

/**
 * Acyclic workflows of up to `maxLength` tasks t0..tn: needs go back by a few tasks, the grouped ones of the
 * first half form group `g`, which some of the second half need, and some tasks check the task before them
 * (a checker that needs what waits for its verdict would be a circle: such draws are left out).
 */
export function acyclicWorkflow(maxLength = 14): fc.Arbitrary<Workflow> {
  return fc
    .array(taskDraw, { minLength: 1, maxLength })
    .map(workflowFrom)
    .filter((workflow) => findCycle(workflow) === undefined);
}

function workflowFrom(draws: readonly TaskDraw[]): Workflow {
  const half = Math.ceil(draws.length / 2);
  const members = draws.flatMap((draw, index) =>
    index < half && draw.grouped ? [`t${index}`] : [],
  );
  const tasks = draws.map((draw, index) => [
    `t${index}`,
    taskFrom(draw, index, members.length > 0 && index >= half),
  ]);
  return workflowOf({
    tasks: Object.fromEntries(tasks) as { [id: string]: TaskInput },
    groups: members.length > 0 ? { g: members } : {},
    resources: { cpu: 5, concurrency: 4 },
    agents: { a: { limits: { concurrency: 2 } } },
  });
}

function taskFrom(draw: TaskDraw, index: number, mayNeedGroup: boolean): TaskInput {
  const { estimate, agent, cpu, lock, checks } = draw;
  const needs = draw.back.map(({ distance, kind }): NeedInput => {
    if (mayNeedGroup && distance === 6) return { on: 'g', kind };
    // A context need may also point forward: it orders nothing.
    return kind === 'context'
      ? { on: 't0', kind }
      : { on: `t${Math.max(0, index - distance)}`, kind };
  });
  return {
    estimate,
    agent,
    demand: { ...(cpu > 0 && { cpu }), ...(lock && { lock: 1 }) },
    needs: index === 0 ? [] : needs,
    ...(checks && index > 1 && { validates: `t${index - 1}` }),
  };
}
