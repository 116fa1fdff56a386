import { expect, test } from 'vitest';
import type { TaskFunction } from '../../../src/actors/behaviours/behaviour.ts';
import { carryOut, outcomes, refolded } from '../../support/run-harness.ts';

/** Fails with what it has done so far; says who did it once it is told to succeed. */
function failing(seen: object[]): TaskFunction {
  return (context) => {
    seen.push({ attempt: context.attempt, previous: context.previous });
    context.partial({ done: context.attempt });
    throw new Error('no');
  };
}

test('work that has failed three times goes to one peer, which gets what was done so far', async () => {
  const seen: object[] = [];
  const previous: unknown[] = [];
  const { report, records, state } = await carryOut({
    document: {
      version: 1,
      agents: {
        a: { uses: 'function', module: 'host:fails', peers: ['b'] },
        b: { uses: 'function', module: 'host:works' },
      },
      tasks: { t: { agent: 'a' } },
    },
    functions: {
      fails: failing(seen),
      works: (context) => {
        previous.push(context.previous);
        return 'done';
      },
    },
  });
  expect(outcomes(report)).toEqual({ t: 'succeeded' });
  expect(seen).toHaveLength(3);
  expect(previous).toEqual([
    {
      agent: 'a',
      model: null,
      error: expect.objectContaining({ message: 'no' }),
      partial: { done: 3 },
    },
  ]);
  expect(records.filter(({ type }) => type.startsWith('escalation.'))).toMatchObject([
    { type: 'escalation.opened', rung: 'retry', of: 'task' },
    { type: 'escalation.expired', cause: 'attempts', default: 'next' },
    { type: 'escalation.opened', rung: 'other_worker', next: { agent: 'b' } },
  ]);
  expect(records.findLast(({ type }) => type === 'task.started')).toMatchObject({
    by: { agent: 'b' },
  });
  expect(refolded(records)).toEqual(state);
});

test('a task that has been asked about holds nothing, and goes on as it is answered', async () => {
  let calls = 0;
  const { report, records } = await carryOut({
    document: {
      version: 1,
      agents: { a: { uses: 'function', module: 'host:works' } },
      tasks: { t: { agent: 'a', escalation: ['person'] }, u: { agent: 'a', needs: ['t'] } },
    },
    functions: {
      works: () => {
        if (++calls === 1) throw new Error('first');
        return calls;
      },
    },
    onRecord: (record, core) => {
      if (record.type !== 'task.parked') return;
      expect(core.holding).toBe(0);
      const question = core.ledger.state.tasks.get('t')?.recovery?.escalation?.id ?? 0;
      core.self.send({
        type: 'verb.asked',
        verb: { verb: 'answer', question, choice: 'retry', by: 'me' },
        answer: (error) => expect(error).toBeUndefined(),
      });
    },
  });
  expect(outcomes(report)).toEqual({ t: 'succeeded', u: 'succeeded' });
  expect(records.map(({ type }) => type)).toContain('task.retried');
});

test('a question that nobody answers is over at its deadline, and its default happens', async () => {
  const { report, records } = await carryOut({
    document: {
      version: 1,
      agents: { a: { uses: 'simulate', with: { duration: 10, fail: 1 } } },
      tasks: {
        t: {
          agent: 'a',
          default: 'D',
          escalation: [{ rung: 'person', deadline: '1h', default: 'use_default' }],
        },
        u: { uses: 'simulate', needs: ['t'], with: { duration: 1 } },
      },
    },
  });
  expect(outcomes(report)).toEqual({ t: 'failed', u: 'succeeded' });
  expect(report.tasks[0]?.reason).toBe('default_used');
  expect(report.metrics.wall_ms).toBeGreaterThan(3_600_000);
  expect(records.map(({ type }) => type)).toContain('escalation.expired');
});
