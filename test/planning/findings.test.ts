import { describe, expect, it } from 'vitest';
import { explainPlan } from '../../src/planning/explain.ts';
import { planWorkflow } from '../../src/planning/plan.ts';
import type { Finding } from '../../src/planning/finding.ts';
import { workflowOf } from '../support/workflow-builder.ts';
import type { WorkflowInput } from '../support/workflow-builder.ts';

const minute = 60_000;

function findingsOf(input: WorkflowInput): readonly Finding[] {
  return planWorkflow(workflowOf(input)).findings;
}

function told(input: WorkflowInput): readonly string[] {
  return findingsOf(input).map(({ kind, tasks }) => `${kind} ${tasks.join(' ')}`);
}

describe('a needless wait', () => {
  const chain = (reader: object): WorkflowInput => ({
    tasks: {
      a: { estimate: 5 * minute, writes: ['worker.notes'] },
      b: { estimate: 3 * minute, needs: ['a'], ...reader },
    },
  });

  it('is a need of which the input takes up nothing, with what it costs', () => {
    expect(findingsOf(chain({ with: { x: 1 } }))).toMatchObject([
      { kind: 'needless_wait', tasks: ['a', 'b'], saves_ms: 3 * minute, certain: false },
    ]);
  });

  it.each([
    ['no input of its own: it gets what it needs', {}],
    ['its input names the output', { with: { x: '${tasks.a.output.y}' } }],
    ['its condition names it', { with: 1, when: '${tasks.a.outcome} == succeeded' }],
    ['it reads a key that the other writes', { with: 1, reads: ['worker.*'] }],
    ['its input names a key that the other writes', { with: '${memory.worker.notes}' }],
    ['it checks the other', { with: 1, validates: 'a' }],
  ])('is none where something is taken up: %s', (_, reader) => {
    expect(told(chain(reader))).toEqual([]);
  });

  it('is none where one works on files that the other leaves', () => {
    const files = (reads: string[], writes: string[]) => ({ files: { reads, writes } });
    const input = (path: string): WorkflowInput => ({
      tasks: { a: files([], ['out/a.md']), b: { needs: ['a'], with: 1, ...files([path], []) } },
    });
    expect(told(input('out/'))).toEqual([]);
    expect(told(input('elsewhere/'))).toEqual(['needless_wait a b']);
  });

  it('is waiting for a whole group of which one member is taken up', () => {
    const input: WorkflowInput = {
      tasks: {
        quick: { estimate: 1 * minute },
        slow: { estimate: 9 * minute },
        reader: { estimate: 5 * minute, needs: ['both'], with: '${tasks.quick.output}' },
      },
      groups: { both: ['quick', 'slow'] },
    };
    expect(findingsOf(input)).toMatchObject([
      { kind: 'needless_wait', tasks: ['both', 'reader'], saves_ms: 5 * minute },
    ]);
    expect(findingsOf(input)[0]?.detail).toContain('takes up only quick');
  });
});

describe('a time that will pass', () => {
  it('is that of the run, certainly where no order is quick enough', () => {
    const tasks = { a: { estimate: 4 * minute }, b: { estimate: 4 * minute, needs: ['a'] } };
    expect(findingsOf({ tasks, deadlineMs: 6 * minute })).toMatchObject([
      { kind: 'late', tasks: [], certain: true },
    ]);
    expect(told({ tasks, deadlineMs: 8 * minute })).toEqual([]);
  });

  it('is the deadline of a task that has to queue', () => {
    const task = { estimate: 4 * minute, deadlineMs: 5 * minute };
    const found = findingsOf({ tasks: { a: task, b: task }, resources: { concurrency: 1 } });
    expect(found).toHaveLength(1);
    expect(found[0]?.detail).toMatch(
      /ends 8m00s after its inputs are there \(4m00s of it waiting\)/,
    );
    expect(found[0]?.certain).toBe(false);
  });

  it('is certain where the task alone takes longer, or may not start in time', () => {
    const long = { a: { estimate: 9 * minute, deadlineMs: 5 * minute } };
    const later = {
      a: { estimate: minute, deadlineMs: 5 * minute, notBefore: { afterMs: 6 * minute } },
    };
    for (const tasks of [long, later])
      expect(findingsOf({ tasks })).toMatchObject([{ kind: 'late', certain: true }]);
  });

  it('is a timeout shorter than the estimate', () => {
    const tasks = { a: { estimate: 9 * minute, timeoutMs: minute } };
    expect(findingsOf({ tasks })[0]?.detail).toBe('a takes 9m00s, each attempt may take 1m00s');
  });
});

describe('a contradiction', () => {
  it('is a group whose members never fit together', () => {
    const member = { estimate: minute, demand: { cpu: 60 } };
    const input = (cpu: number): WorkflowInput => ({
      tasks: { a: member, b: member },
      groups: { g: ['a', 'b'] },
      resources: { cpu },
    });
    expect(told(input(100))).toEqual(['contradiction a b']);
    expect(told(input(120))).toEqual([]);
  });
});

describe('files', () => {
  const writes = (...paths: string[]) => ({ files: { reads: [], writes: paths } });
  const reads = (...paths: string[]) => ({ files: { reads: paths, writes: [] } });

  it.each([
    ['two writers of one file', writes('a.md'), writes('./a.md'), true],
    ['a writer of a folder and of a file in it', writes('out/'), writes('out/x/a.md'), true],
    ['a writer and a reader', writes('a.md'), reads('a.md'), true],
    ['two readers', reads('a.md'), reads('a.md'), false],
    ['two files', writes('a.md'), writes('b.md'), false],
    ['names that only begin alike', writes('out/'), writes('out.md'), false],
  ])('that may be touched at one time are told: %s', (_, one, other, expected) => {
    expect(told({ tasks: { a: one, b: other } })).toEqual(expected ? ['file_conflict a b'] : []);
  });

  it('are no conflict of tasks that something keeps apart', () => {
    const both = writes('a.md');
    expect(told({ tasks: { a: both, b: { ...both, needs: ['a'] } } })).toEqual([]);
    const locked = { ...both, demand: { 'lock:a': 1 } };
    expect(told({ tasks: { a: locked, b: locked } })).toEqual([]);
  });
});

describe('a read that nothing orders', () => {
  it('is a dependency of kind context that nobody declared', () => {
    const plan = planWorkflow(
      workflowOf({ tasks: { a: { writes: ['w.x'] }, b: { reads: ['w.*'] } } }),
    );
    expect(plan.findings).toMatchObject([{ kind: 'unannounced_read', tasks: ['a', 'b'] }]);
    expect(plan.dependencies.context).toEqual([
      { from: 'a', to: 'b', kind: 'context', declared: false },
    ]);
  });

  it('is none along a path, nor where the reader says that it looks', () => {
    const a = { writes: ['w.x'] };
    expect(told({ tasks: { a, b: { reads: ['w.x'], needs: ['a'] } } })).toEqual([]);
    const context = { on: 'a', kind: 'context' as const };
    expect(told({ tasks: { a, b: { reads: ['w.x'], needs: [context] } } })).toEqual([]);
  });
});

describe('the advice of a plan', () => {
  const task = { estimate: 10 * minute };
  const queue = workflowOf({
    tasks: { a: task, b: task, c: { estimate: minute, needs: ['a'] } },
    resources: { concurrency: 1 },
  });

  it('is the limit to raise and the need to drop, each with the makespan of that plan', () => {
    const { advice } = planWorkflow(queue);
    expect(advice).toMatchObject([
      { change: 'raise_limit', resource: 'concurrency', from: 1, to: 2, makespan_ms: 11 * minute },
    ]);
    const raised = { ...queue, resources: { ...queue.resources, concurrency: 2 } };
    expect(planWorkflow(raised).makespan_ms).toBe(11 * minute);
    const wide = { ...queue, resources: { ...queue.resources, concurrency: 3 } };
    expect(planWorkflow(wide).advice).toMatchObject([
      { change: 'drop_need', task: 'c', on: 'a', makespan_ms: 10 * minute, saves_ms: minute },
    ]);
  });

  it('never says to let several at a lock', () => {
    const locked = { estimate: minute, demand: { 'lock:x': 1 } };
    expect(planWorkflow(workflowOf({ tasks: { a: locked, b: locked } })).advice).toEqual([]);
  });

  it('is told in words', () => {
    const text = explainPlan(planWorkflow(queue));
    expect(text).toContain(
      'What would help most\n  with 2 of concurrency instead of 1: 11m00s, 10m00s less',
    );
    expect(text).toContain('In use on average: concurrency 100 %');
    expect(text).toContain('so no plan is better');
  });
});

describe('what tasks compete for', () => {
  it('is listed with what there is and what is wanted', () => {
    const plan = planWorkflow(
      workflowOf({
        tasks: { a: { demand: { cpu: 3 } }, b: { demand: { cpu: 2 } }, c: {} },
        resources: { cpu: 4 },
      }),
    );
    expect(plan.dependencies.resource).toEqual([
      { resource: 'cpu', units: 4, demanded: 5, tasks: ['a', 'b'] },
    ]);
  });
});
