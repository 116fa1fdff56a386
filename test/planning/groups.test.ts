import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildGraph } from '../../src/planning/graph.ts';
import { executionGroups } from '../../src/planning/groups.ts';
import { reachableFrom } from '../../src/planning/topological.ts';
import { workflowOf } from '../support/workflow-builder.ts';
import { acyclicWorkflow } from './random-workflow.ts';

function tasksByGroup(input: Parameters<typeof workflowOf>[0]): (readonly string[])[] {
  return executionGroups(buildGraph(workflowOf(input))).map(({ tasks }) => tasks);
}

describe('executionGroups', () => {
  it('groups by topological level', () => {
    const tasks = {
      a: {},
      b: { needs: ['a'] },
      c: { needs: ['a'] },
      d: { needs: ['b', 'c'] },
      e: {},
    };
    expect(tasksByGroup({ tasks })).toEqual([['a', 'e'], ['b', 'c'], ['d']]);
  });

  it('holds back a member of a declared group to the level of the others', () => {
    const tasks = { early: {}, before: {}, late: { needs: ['before'] }, after: { needs: ['g'] } };
    const [first, second, third] = executionGroups(
      buildGraph(workflowOf({ tasks, groups: { g: ['early', 'late'] } })),
    );
    expect(first?.tasks).toEqual(['before']);
    expect(second).toEqual({ id: 'group_2', tasks: ['early', 'late'], declared: ['g'] });
    expect(third?.tasks).toEqual(['after']);
  });

  it('lets members stand apart that wait for each other', () => {
    const tasks = { x: {}, y: { needs: ['x'] } };
    expect(tasksByGroup({ tasks, groups: { g: ['x', 'y'] } })).toEqual([['x'], ['y']]);
  });

  it('never puts two tasks together that a path orders, and loses none', () => {
    fc.assert(
      fc.property(acyclicWorkflow(25), (workflow) => {
        const graph = buildGraph(workflow);
        const groups = executionGroups(graph);
        expect(groups.flatMap(({ tasks }) => tasks).sort()).toEqual(
          workflow.tasks.map(({ id }) => id).sort(),
        );
        const level = new Map(groups.flatMap(({ tasks }, at) => tasks.map((id) => [id, at])));
        for (const task of workflow.tasks) {
          for (const node of reachableFrom(graph.successors, task.index)) {
            const after = graph.nodes[node];
            if (after?.task)
              expect(level.get(after.id)).toBeGreaterThan(level.get(task.id) ?? Infinity);
          }
        }
      }),
    );
  });
});
