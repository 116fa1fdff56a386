import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Frontier } from '../../src/planning/frontier.ts';
import { buildGraph } from '../../src/planning/graph.ts';
import { workflowOf } from '../support/workflow-builder.ts';
import { NaiveFrontier } from './naive-frontier.ts';
import { acyclicWorkflow } from './random-workflow.ts';

function frontierOf(...input: Parameters<typeof workflowOf>): Frontier {
  return new Frontier(buildGraph(workflowOf(...input)));
}

describe('Frontier', () => {
  it('starts with the tasks that need nothing, in document order', () => {
    const frontier = frontierOf({ tasks: { z: {}, b: { needs: ['z'] }, a: {} } });
    expect(frontier.ready()).toEqual(['z', 'a']);
  });

  it('releases a task when its last data need is satisfied', () => {
    const frontier = frontierOf({ tasks: { a: {}, b: {}, c: { needs: ['a', 'b'] } } });
    expect(frontier.settle('b', 'satisfied')).toEqual({ ready: [], blocked: [] });
    expect(frontier.settle('a', 'satisfied')).toEqual({ ready: ['c'], blocked: [] });
    expect(frontier.ready()).toEqual(['c']);
  });

  it('never waits for context', () => {
    const frontier = frontierOf({ tasks: { a: {}, b: { needs: [{ on: 'a', kind: 'context' }] } } });
    expect(frontier.ready()).toEqual(['a', 'b']);
  });

  it('reports a blocked task once, with the cause, and leaves the cascade to the caller', () => {
    const frontier = frontierOf({
      tasks: { a: {}, b: {}, c: { needs: ['a', 'b'] }, d: { needs: ['c'] } },
    });
    expect(frontier.settle('a', 'unsatisfied').blocked).toEqual([{ id: 'c', by: 'a' }]);
    expect(frontier.settle('b', 'unsatisfied').blocked).toEqual([]);
    expect(frontier.settle('c', 'unsatisfied').blocked).toEqual([{ id: 'd', by: 'c' }]);
  });

  it('waits for a group to be settled, and for a stream only until it begins', () => {
    const tasks = {
      m: {},
      n: {},
      all: { needs: ['g'] },
      first: { needs: [{ on: 'g', kind: 'stream' as const }] },
    };
    const frontier = frontierOf({ tasks, groups: { g: ['m', 'n'] } });
    expect(frontier.settle('m', 'satisfied').ready).toEqual([]);
    expect(frontier.begin('g').ready).toEqual(['first']);
    expect(frontier.settle('g', 'satisfied').ready).toEqual(['all']);
  });

  it('releases a stream that never began when its group is satisfied all the same', () => {
    const tasks = { m: {}, first: { needs: [{ on: 'g', kind: 'stream' as const }] } };
    const frontier = frontierOf({ tasks, groups: { g: ['m'] } });
    expect(frontier.settle('g', 'satisfied').ready).toEqual(['first']);
  });

  it('keeps the reader of a stream that began when the group fails later', () => {
    const tasks = { x: {}, m: {}, r: { needs: ['x', { on: 'g', kind: 'stream' as const }] } };
    const frontier = frontierOf({ tasks, groups: { g: ['m'] } });
    frontier.begin('g');
    expect(frontier.settle('g', 'unsatisfied').blocked).toEqual([]);
    expect(frontier.settle('x', 'satisfied').ready).toEqual(['r']);
  });

  const checked = {
    tasks: { work: {}, check: { needs: ['work'], validates: 'work' }, next: { needs: ['work'] } },
  };

  it('releases a checker on completion and the others on acceptance', () => {
    const frontier = frontierOf(checked);
    expect(frontier.complete('work').ready).toEqual(['check']);
    expect(frontier.settle('work', 'satisfied').ready).toEqual(['next']);
  });

  it('releases a checker with the others when acceptance comes without completion', () => {
    expect(frontierOf(checked).settle('work', 'satisfied').ready).toEqual(['check', 'next']);
  });

  it('lets a checker run again in the next iteration', () => {
    const frontier = frontierOf(checked);
    frontier.complete('work');
    frontier.settle('check', 'satisfied');
    frontier.rearm(['check']);
    expect(frontier.ready()).toEqual(['work']);
    expect(frontier.complete('work').ready).toEqual(['check']);
    expect(frontier.complete('work').ready).toEqual([]);
  });

  it('changes nothing by rearming a checker that has not been released, or a task that checks nothing', () => {
    const frontier = frontierOf(checked);
    frontier.rearm(['check', 'next', 'work']);
    expect(frontier.ready()).toEqual(['work']);
    expect(frontier.complete('work').ready).toEqual(['check']);
    expect(frontier.settle('work', 'satisfied').ready).toEqual(['next']);
  });

  it('makes a checker wait that is only named by the task that it checks', () => {
    const tasks = { work: { needs: [{ on: 'check', kind: 'validation' as const }] }, check: {} };
    const frontier = frontierOf({ tasks });
    expect(frontier.ready()).toEqual(['work']);
    expect(frontier.complete('work').ready).toEqual(['check']);
  });

  it('lets generated checks of two members start from completion, so that they do not wait in a circle', () => {
    const generated = { generated: true, needs: ['x', 'y'] };
    const tasks = {
      x: {},
      y: {},
      vx: { ...generated, validates: 'x' },
      vy: { ...generated, validates: 'y' },
    };
    const groups = { g: { members: ['x', 'y'], validators: ['vx', 'vy'] } };
    const frontier = frontierOf({ tasks, groups });
    expect(frontier.complete('x').ready).toEqual([]);
    expect(frontier.complete('y').ready).toEqual(['vx', 'vy']);
  });

  it('ignores a second settlement and refuses an unknown id', () => {
    const frontier = frontierOf({ tasks: { a: {}, b: { needs: ['a'] } } });
    frontier.settle('a', 'satisfied');
    expect(frontier.settle('a', 'unsatisfied')).toEqual({ ready: [], blocked: [] });
    expect(() => frontier.settle('nobody', 'satisfied')).toThrow(/nobody/);
  });

  it('equals a naive recomputation after every step of any history', () => {
    const step = fc.tuple(
      fc.constantFrom('satisfied', 'unsatisfied', 'satisfied', 'complete', 'begin', 'rearm'),
      fc.nat(),
    );
    fc.assert(
      fc.property(
        acyclicWorkflow(),
        fc.array(step, { minLength: 20, maxLength: 60 }),
        (workflow, steps) => {
          const graph = buildGraph(workflow);
          const [live, naive] = [new Frontier(graph), new NaiveFrontier(workflow)];
          expect(live.ready()).toEqual(naive.ready());
          for (const [kind, drawn] of steps) {
            const id = graph.nodes[drawn % graph.nodes.length]?.id ?? '';
            expect(apply(live, kind, id)).toEqual(naive.step(kind, id));
            expect(live.ready()).toEqual(naive.ready());
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it('carries 100,000 tasks in one chain and in one fan to the end', () => {
    const size = 50_000;
    const chain = Array.from({ length: size }, (_, at) => [
      `c${at}`,
      at > 0 ? { needs: [`c${at - 1}`] } : {},
    ]);
    const fan = Array.from({ length: size }, (_, at) => [
      `f${at}`,
      at > 0 ? { needs: ['f0'] } : {},
    ]);
    const frontier = frontierOf({ tasks: Object.fromEntries([...chain, ...fan]) });
    const queue = frontier.ready();
    let done = 0;
    for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
      for (const next of frontier.settle(id, 'satisfied').ready) queue.push(next);
      done++;
    }
    expect(done).toBe(2 * size);
  });
});

function apply(frontier: Frontier, kind: string, id: string): unknown {
  if (kind === 'complete') return frontier.complete(id);
  if (kind === 'begin') return frontier.begin(id);
  if (kind === 'rearm') {
    if (id !== 'g') frontier.rearm([id]);
    return { ready: [], blocked: [] };
  }
  return frontier.settle(id, kind === 'satisfied' ? 'satisfied' : 'unsatisfied');
}
