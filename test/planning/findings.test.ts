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
    tasks: { a: task, b: task, c: { estimate: minute, needs: ['a'], with: 1 } },
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

  const adviceOf = (tasks: WorkflowInput['tasks'], groups: WorkflowInput['groups'] = {}) =>
    planWorkflow(workflowOf({ tasks, groups })).advice.map(({ change, task: id, on }) =>
      [change, id, on].join(' '),
    );
  const long = { estimate: 10 * minute, writes: ['worker.notes'] };

  it.each([
    ['its input names the output', { with: '${tasks.a.output}' }],
    ['its condition names the outcome', { with: 1, when: '${tasks.a.outcome} == succeeded' }],
    ['it has no input of its own', {}],
    ['it reads a key that the other writes', { with: 1, reads: ['worker.*'] }],
    ['its input names a key that the other writes', { with: '${memory.worker.notes}' }],
    ['it checks the other', { with: 1, validates: 'a' }],
  ])('never drops a need of which something is taken up: %s', (_, reader) => {
    const b = { estimate: minute, needs: ['a'], ...reader };
    expect(adviceOf({ a: long, b })).toEqual([]);
  });

  it('never drops a need whose files are read, but one whose files are others', () => {
    const a = { estimate: minute, files: { reads: [], writes: ['out/a.md'] } };
    const b = (path: string) => ({
      estimate: minute,
      needs: ['a'],
      with: 1,
      files: { reads: [path], writes: [] },
    });
    expect(adviceOf({ a, b: b('./out/') })).toEqual([]);
    expect(adviceOf({ a, b: b('elsewhere/') })).toEqual(['drop_need b a']);
  });

  it('never drops a need by which something that is taken up is waited for', () => {
    const plain = { estimate: minute, with: 1 };
    const through = { a: long, b: { ...plain, needs: ['a'] } };
    expect(adviceOf({ ...through, c: { ...plain, needs: ['b'] } })).toEqual(['drop_need b a']);
    const c = { ...plain, needs: ['b'], with: '${tasks.a.output}' };
    expect(adviceOf({ ...through, c })).toEqual([]);
    const again = { ...c, needs: ['a', 'b'] };
    expect(adviceOf({ ...through, c: again })).toEqual(['drop_need c b']);
  });

  it('never drops a need for a group that is taken up, or of which a member is', () => {
    for (const input of ['${groups.both.output}', '${tasks.quick.output}'])
      expect(
        adviceOf(
          {
            quick: { estimate: minute },
            slow: { estimate: 2 * minute },
            join: { estimate: minute, needs: ['both'], with: input },
          },
          { both: ['quick', 'slow'] },
        ),
      ).toEqual([]);
  });

  it('is to do without the start time that the run waits for, and the bottleneck says which', () => {
    const late = { estimate: 5000, notBefore: { afterMs: 3 * minute } };
    const plan = planWorkflow(
      workflowOf({
        tasks: {
          first: { estimate: 165_000 },
          late,
          final: { estimate: 5000, needs: ['first', 'late'], with: '${tasks.late.output}' },
        },
      }),
    );
    expect(plan.start_bound).toEqual({ task: 'late', not_before_ms: 3 * minute });
    const text = explainPlan(plan);
    expect(text).toContain('Bottleneck: the critical path (late may not start before 3m00s);');
    expect(text).toContain('  without not_before of late: 2m50s, 20s less');
    expect(text).not.toContain('did not need late');
  });

  it('leaves start times alone that nothing waits for', () => {
    const late = { estimate: minute, notBefore: { afterMs: minute } };
    const plan = planWorkflow(workflowOf({ tasks: { late, long } }));
    expect(plan).toMatchObject({ start_bound: null, advice: [] });
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
