import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { criticalPath, ranksToEnd } from '../../src/planning/critical-path.ts';
import { buildGraph, dependents } from '../../src/planning/graph.ts';
import { effectivePriorities } from '../../src/planning/priorities.ts';
import { workflowOf } from '../support/workflow-builder.ts';
import { acyclicWorkflow } from './random-workflow.ts';

const diamond = workflowOf({
  tasks: {
    start: { estimate: 1000 },
    long: { estimate: 5000, needs: ['start'] },
    short: { estimate: 2000, needs: ['start'] },
    end: { estimate: 1000, needs: ['long', 'short'] },
  },
});

describe('criticalPath', () => {
  it('finds the longest chain and the slack of the rest', () => {
    const { path, makespanMs, timings } = criticalPath(buildGraph(diamond));
    expect(path).toEqual(['start', 'long', 'end']);
    expect(makespanMs).toBe(7000);
    expect(timings.get('short')).toEqual({
      id: 'short',
      durationMs: 2000,
      earliestStartMs: 1000,
      latestStartMs: 4000,
      slackMs: 3000,
    });
  });

  it('takes a minute for a task without an estimate, or what it is told', () => {
    const graph = buildGraph(workflowOf({ tasks: { a: {} } }));
    expect(criticalPath(graph).makespanMs).toBe(60_000);
    expect(criticalPath(graph, { defaultMs: 5 }).makespanMs).toBe(5);
    expect(criticalPath(graph, { measured: new Map([['a', 8]]) }).makespanMs).toBe(8);
  });

  it('gives groups no time and leaves them out of the path', () => {
    const workflow = workflowOf({
      tasks: { a: { estimate: 10 }, b: { estimate: 10, needs: ['g'] } },
      groups: { g: ['a'] },
    });
    expect(criticalPath(buildGraph(workflow))).toMatchObject({ path: ['a', 'b'], makespanMs: 20 });
  });

  it('has a path of no slack whose durations sum to the makespan', () => {
    fc.assert(
      fc.property(acyclicWorkflow(25), (workflow) => {
        const { path, makespanMs, timings } = criticalPath(buildGraph(workflow));
        const sum = path.reduce((total, id) => total + (timings.get(id)?.durationMs ?? 0), 0);
        expect(sum).toBe(makespanMs);
        for (const id of path) expect(timings.get(id)?.slackMs).toBe(0);
      }),
    );
  });
});

describe('ranksToEnd', () => {
  it('is the duration of a node and the longest rank behind it', () => {
    fc.assert(
      fc.property(acyclicWorkflow(25), (workflow) => {
        const graph = buildGraph(workflow);
        const ranks = ranksToEnd(graph);
        for (const { id, task } of graph.nodes) {
          const behind = dependents(graph, id).map((next) => ranks.get(next) ?? NaN);
          expect(ranks.get(id)).toBe((task?.estimate?.midMs ?? 0) + Math.max(0, ...behind));
        }
        expect(Math.max(...ranks.values())).toBe(criticalPath(graph).makespanMs);
      }),
    );
  });

  it('ranks 100,000 tasks in one chain', () => {
    const size = 100_000;
    const tasks = Array.from({ length: size }, (_, at) => [
      `t${at}`,
      { estimate: 1, needs: at > 0 ? [`t${at - 1}`] : [] },
    ]);
    expect(ranksToEnd(buildGraph(workflowOf({ tasks: Object.fromEntries(tasks) }))).get('t0')).toBe(
      size,
    );
  });
});

describe('effectivePriorities', () => {
  it('raises the critical path and parallel groups where the document sets nothing', () => {
    const workflow = workflowOf({
      tasks: {
        lead: { estimate: 9000 },
        x: { estimate: 10 },
        y: { estimate: 10 },
        set: { estimate: 10, priority: 3 },
        check: { estimate: 10, needs: ['x'], validates: 'x' },
        plain: { estimate: 10 },
      },
      groups: { g: ['x', 'y'] },
    });
    const priorities = effectivePriorities(workflow, criticalPath(buildGraph(workflow)));
    expect(Object.fromEntries(priorities)).toEqual({
      lead: 10,
      x: 7,
      y: 7,
      set: 3,
      check: 5,
      plain: 5,
    });
  });
});
