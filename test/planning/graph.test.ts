import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildGraph, dependencies, dependents, findCycle, idOf } from '../../src/planning/graph.ts';
import type { Workflow } from '../../src/workflow/model.ts';
import { workflowOf } from '../support/workflow-builder.ts';
import { acyclicWorkflow } from './random-workflow.ts';

const stream = (on: string) => ({ on, kind: 'stream' as const });

function orderOf(workflow: Workflow): string[] {
  const graph = buildGraph(workflow);
  return graph.order.map((node) => idOf(graph, node));
}

describe('buildGraph', () => {
  it('orders by dependency and, among the free, by the document', () => {
    expect(orderOf(workflowOf({ tasks: { c: { needs: ['b'] }, d: {}, b: {}, a: {} } }))).toEqual([
      'd',
      'b',
      'c',
      'a',
    ]);
  });

  it('does not order by context, but tells of it', () => {
    const workflow = workflowOf({ tasks: { a: { needs: [{ on: 'b', kind: 'context' }] }, b: {} } });
    const graph = buildGraph(workflow);
    expect(orderOf(workflow)).toEqual(['a', 'b']);
    expect(graph.edges).toEqual([{ from: 'b', to: 'a', kind: 'context' }]);
    expect(dependents(graph, 'b')).toEqual([]);
  });

  it('puts a group between its members and those that need it', () => {
    const graph = buildGraph(
      workflowOf({ tasks: { a: {}, b: {}, c: { needs: ['g'] } }, groups: { g: ['a', 'b'] } }),
    );
    expect(dependencies(graph, 'g')).toEqual(['a', 'b']);
    expect(dependencies(graph, 'c')).toEqual(['g']);
  });

  it('makes a checker follow what it checks, and the others follow the checker', () => {
    const tasks = {
      work: {},
      next: { needs: ['work'] },
      check: { needs: ['work'], validates: 'work' },
    };
    const graph = buildGraph(workflowOf({ tasks }));
    expect(dependencies(graph, 'check')).toEqual(['work']);
    expect(dependencies(graph, 'next')).toEqual(['work', 'check']);
    expect(graph.edges).toContainEqual({ from: 'check', to: 'next', kind: 'validation' });
  });

  it('understands a check that only the checked task declares', () => {
    const tasks = { work: { needs: [{ on: 'check', kind: 'validation' as const }] }, check: {} };
    expect(dependencies(buildGraph(workflowOf({ tasks })), 'check')).toEqual(['work']);
  });

  it('lets generated checks of two members look at both without a circle', () => {
    const generated = { generated: true, needs: ['x', 'y'] };
    const tasks = {
      x: {},
      y: {},
      vx: { ...generated, validates: 'x' },
      vy: { ...generated, validates: 'y' },
    };
    const graph = buildGraph(
      workflowOf({ tasks, groups: { g: { members: ['x', 'y'], validators: ['vx', 'vy'] } } }),
    );
    expect(dependencies(graph, 'g')).toEqual(['x', 'y', 'vx', 'vy']);
  });

  it('makes the reader of a stream wait for the member that ends first', () => {
    const tasks = {
      slow: { estimate: 9000 },
      fast: { estimate: 1000 },
      reader: { needs: [stream('g')] },
    };
    expect(
      dependencies(buildGraph(workflowOf({ tasks, groups: { g: ['slow', 'fast'] } })), 'reader'),
    ).toEqual(['fast']);
  });

  it('does not pick as first a member that itself waits for the reader', () => {
    const tasks = {
      slow: { estimate: 9000 },
      reader: { estimate: 10, needs: [stream('g')] },
      late: { estimate: 10, needs: ['reader'] },
    };
    expect(
      dependencies(buildGraph(workflowOf({ tasks, groups: { g: ['slow', 'late'] } })), 'reader'),
    ).toEqual(['slow']);
  });

  it('puts every node after all that it depends on', () => {
    fc.assert(
      fc.property(acyclicWorkflow(30), (workflow) => {
        const graph = buildGraph(workflow);
        const place = new Map(graph.order.map((node, at) => [idOf(graph, node), at]));
        expect(place.size).toBe(graph.nodes.length);
        for (const { from, to, kind } of graph.edges) {
          if (kind !== 'context') expect(place.get(from)).toBeLessThan(place.get(to) ?? -1);
        }
      }),
    );
  });

  it('refuses a circle and tells its path', () => {
    const tasks = { a: { needs: ['c'] }, b: { needs: ['a'] }, c: { needs: ['b'] } };
    expect(() => buildGraph(workflowOf({ tasks }))).toThrow(
      /a -> b -> c -> a|b -> c -> a -> b|c -> a -> b -> c/,
    );
  });

  it('refuses a need on nothing', () => {
    expect(() => buildGraph(workflowOf({ tasks: { a: { needs: ['ghost'] } } }))).toThrow(/ghost/);
  });
});

describe('findCycle', () => {
  it('finds none in a graph without circles', () => {
    fc.assert(fc.property(acyclicWorkflow(), (workflow) => findCycle(workflow) === undefined));
  });

  it('finds a task that needs itself, a circle through a group, and a stream on nothing but its own reader', () => {
    expect(findCycle(workflowOf({ tasks: { a: { needs: ['a'] } } }))).toEqual(['a']);
    expect(
      findCycle(workflowOf({ tasks: { a: { needs: ['g'] } }, groups: { g: ['a'] } }))?.toSorted(),
    ).toEqual(['a', 'g']);
    expect(
      findCycle(workflowOf({ tasks: { a: { needs: [stream('g')] } }, groups: { g: ['a'] } })),
    ).toEqual(['a']);
  });

  it('always tells a circle that is really there, exactly when there is one', () => {
    const pairs = fc.array(fc.tuple(fc.nat(7), fc.nat(7)), { maxLength: 14 });
    fc.assert(
      fc.property(pairs, (edges) => {
        const needsOf = (at: number) =>
          edges.filter(([to]) => to === at).map(([, from]) => `t${from}`);
        const tasks = Object.fromEntries(
          Array.from({ length: 8 }, (_, at) => [`t${at}`, { needs: needsOf(at) }]),
        );
        const cycle = findCycle(workflowOf({ tasks }));
        expect(cycle !== undefined).toBe(hasCycle(edges));
        cycle?.forEach((id, at) => {
          const next = cycle[(at + 1) % cycle.length] ?? '';
          expect(tasks[next]?.needs).toContain(id);
        });
      }),
      { numRuns: 300 },
    );
  });
});

/** By transitive closure (Warshall), to be independent of the code under test. */
function hasCycle(edges: readonly (readonly [number, number])[]): boolean {
  const reach = Array.from({ length: 8 }, (_, from) =>
    Array.from({ length: 8 }, (__, to) => edges.some(([a, b]) => a === from && b === to)),
  );
  for (let via = 0; via < 8; via++) {
    for (const row of reach)
      if (row[via]) reach[via]?.forEach((reached, to) => (row[to] ||= reached));
  }
  return reach.some((row, at) => row[at]);
}
