import { describe, expect, it } from 'vitest';
import { steadyLoad } from '../../src/runtime/process-load.ts';
import { createTroupe } from '../../src/index.ts';
import { carryOut, outcomes, sim } from '../support/run-harness.ts';
import { endsOf, typesOf } from './records.ts';

/** Rows of docs/failures.md about what is short; each title is the row's name there. */
describe('what is short, or nobody there', () => {
  it('lock is held too long: the wait ends, counts as an attempt, and says why', async () => {
    const { state } = await carryOut({
      document: {
        version: 1,
        name: 'lock',
        tasks: {
          holder: sim(3_600_000, { exclusive: ['db'] }),
          waiter: sim(1, { locks: [{ name: 'db', timeout: '30s' }], retry: 1 }),
        },
      },
    });
    expect(endsOf(state, 'waiter').slice(0, 2)).toEqual(['timed_out', 'lock_timeout']);
    expect(endsOf(state, 'holder')[0]).toBe('succeeded');
  });

  it('renderer takes too long: its attempt ends, and the next one gets its unit', async () => {
    const { records, state } = await carryOut({
      document: {
        version: 1,
        name: 'renders',
        resources: { template_engine: 1 },
        tasks: {
          stuck: sim(3_600_000, {
            timeout: '120s',
            retry: 1,
            needs: [{ resource: 'template_engine' }],
          }),
          next: sim(1, { needs: [{ resource: 'template_engine' }] }),
        },
      },
    });
    expect(endsOf(state, 'stuck').slice(0, 2)).toEqual(['timed_out', 'attempt_timeout']);
    const begun = records.find(
      (record) => record.type === 'task.started' && record.task === 'next',
    );
    expect((begun?.at ?? 0) - state.startedAt).toBe(120_000);
  });

  it('two tasks want the same two locks: neither holds one and waits for the other', async () => {
    const { report } = await carryOut({
      document: {
        version: 1,
        name: 'no-deadlock',
        tasks: {
          a: sim(10, { exclusive: ['x', 'y'] }),
          b: sim(10, { exclusive: ['y', 'x'] }),
          c: sim(10, { exclusive: ['y'] }),
        },
      },
    });
    expect(outcomes(report)).toEqual({ a: 'succeeded', b: 'succeeded', c: 'succeeded' });
  });

  it('budget is used up: nothing new begins, and what is there is kept', async () => {
    const { state } = await carryOut({
      document: {
        version: 1,
        name: 'budget',
        budget: { tokens: 100 },
        providers: { llm: {} },
        agents: { spender: { uses: 'function', module: 'host:spends', provider: 'llm' } },
        tasks: { first: { agent: 'spender' }, second: { agent: 'spender', needs: ['first'] } },
      },
      functions: {
        spends: ({ provider }) =>
          provider().call({}, () => ({ value: 'kept', usage: { input_tokens: 150 } })),
      },
    });
    expect(state.tasks.get('first')?.output).toBe('kept');
    expect(endsOf(state, 'second')[1]).toBe('budget_exhausted');
    expect([state.outcome, state.reason]).toEqual(['partial', 'budget_exhausted']);
  });

  it('process is overloaded: the run asks for less at a time', async () => {
    const { records } = await carryOut({
      document: {
        version: 1,
        name: 'overload',
        adaptation: true,
        monitoring: { interval: '1s' },
        resources: { concurrency: 8 },
        tasks: Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`t${n}`, sim(2_000)])),
      },
      load: () => ({ ...steadyLoad, eventLoopDelayMs: 500 }),
    });
    expect(typesOf(records)).toContain('policy.adapted');
  });

  it('agent is unhealthy: whoever watches is told', async () => {
    const troupe = await createTroupe({
      functions: { fails: () => Promise.reject(new Error('no')) },
    });
    const handle = await troupe.run({
      version: 1,
      name: 'health',
      defaults: { retry: 1, agent: 'weak' },
      agents: { weak: { uses: 'function', module: 'host:fails', health: { min_calls: 4 } } },
      tasks: { t1: {}, t2: {}, t3: {}, t4: {}, t5: {}, t6: {} },
    });
    const told: unknown[] = [];
    for await (const event of handle.events())
      if (event.type === 'health.changed') told.push([event.of, event.state]);
    await troupe.close();
    expect(told).toContainEqual(['agent:weak', 'unhealthy']);
  });

  it('person does not answer: the default of the question holds', async () => {
    const { records, state } = await carryOut({
      document: {
        version: 1,
        name: 'silence',
        tasks: {
          asked: sim(1, {
            with: { fail: true },
            default: 'assumed',
            escalation: [
              { rung: 'retry', attempts: 1 },
              { rung: 'person', deadline: '8h', default: 'use_default' },
            ],
          }),
          reader: sim(1, { needs: ['asked'], with: { output: '${tasks.asked.output}' } }),
        },
      },
    });
    const asked = records.find(({ type }) => type === 'escalation.opened')?.at ?? 0;
    expect((state.tasks.get('asked')?.finishedAt ?? 0) - asked).toBe(8 * 3_600_000);
    expect(state.tasks.get('reader')?.output).toBe('assumed');
  });

  it('nothing is left to try: less is done where the document says how', async () => {
    const { state } = await carryOut({
      document: {
        version: 1,
        name: 'degrade',
        agents: { simple: { uses: 'simulate', with: { output: 'short answer' } } },
        tasks: {
          answer: sim(1, {
            with: { fail: [1] },
            escalation: [{ rung: 'retry', attempts: 1 }, { degrade: { agent: 'simple' } }],
          }),
          summary: sim(1, {
            with: { fail: true },
            escalation: [
              { rung: 'retry', attempts: 1 },
              { degrade: { with: { duration: 1, output: 'one page' } } },
            ],
          }),
        },
      },
    });
    expect(state.tasks.get('summary')).toMatchObject({ outcome: 'succeeded', output: 'one page' });
    expect(state.tasks.get('answer')).toMatchObject({
      outcome: 'succeeded',
      output: 'short answer',
    });
  });

  it('deadline of the run has passed: what is finished is kept, what runs is stopped', async () => {
    const { state } = await carryOut({
      document: {
        version: 1,
        name: 'deadline',
        deadline: '1m',
        tasks: {
          quick: sim(10, { with: { output: 'kept' } }),
          slow: sim(3_600_000),
          after: sim(1, { needs: ['slow'] }),
        },
      },
    });
    expect([state.outcome, state.reason]).toEqual(['timed_out', 'deadline_exceeded']);
    expect(state.tasks.get('quick')?.output).toBe('kept');
    expect(endsOf(state, 'slow')[0]).toBe('timed_out');
  });
});
