import { describe, expect, it } from 'vitest';
import type { TaskFunction } from '../../../src/actors/behaviours/behaviour.ts';
import type { JournalRecord } from '../../../src/journal/record.ts';
import type { RunCore } from '../../../src/supervisors/run/core.ts';
import type { RunVerb } from '../../../src/supervisors/run/run-verb.ts';
import { carryOut, outcomes, refolded } from '../../support/run-harness.ts';
import type { HarnessResult } from '../../support/run-harness.ts';

const document = {
  version: 1,
  agents: { a: { uses: 'function', module: 'host:fails' } },
  tasks: {
    bad: { agent: 'a', retry: { max_attempts: 2, initial: 10, jitter: 0 }, on_exhausted: 'pause' },
    asked: {
      agent: 'a',
      retry: 1,
      escalation: [{ rung: 'person', deadline: '1h', default: 'skip' }],
    },
    beside: { uses: 'simulate', with: { duration: 5 } },
    after: { uses: 'simulate', needs: ['beside'], with: { duration: 500 } },
    last: { uses: 'simulate', needs: ['bad', 'after'], with: { duration: 5 } },
  },
};

/** Fails until its third attempt; members of nothing share no state, so that a crash changes nothing. */
const fails: TaskFunction = ({ attempt, task }) => {
  if (attempt < (task === 'bad' ? 3 : 2)) throw new Error('no');
  return task;
};

function ask(core: RunCore, verb: RunVerb): void {
  core.self.send({ type: 'verb.asked', verb, answer: () => undefined });
}

/** A person who tries once more whatever waits for a word. */
function person(core: RunCore): void {
  const { state } = core.ledger;
  for (const { id, phase, recovery } of state.tasks.values()) {
    if (phase !== 'parked' || !recovery || recovery.answer) continue;
    const question = recovery.escalation?.id;
    if (recovery.parked === 'exhausted') ask(core, { verb: 'retry', task: id, by: 'me' });
    else if (question !== undefined)
      ask(core, { verb: 'answer', question, choice: 'value', value: 'given', by: 'me' });
  }
}

function live(records?: readonly JournalRecord[]): Promise<HarnessResult> {
  return carryOut({
    document,
    functions: { fails },
    ...(records && { records }),
    during: (core, clock) => {
      const look = (): void => {
        person(core);
        if (core.ledger.state.status !== 'ended') clock.setTimeout(look, 200);
      };
      clock.setTimeout(look, 200);
    },
  });
}

describe('a run with a question and a pause', () => {
  it('dispatches nothing while it is paused, and goes on as it is told', async () => {
    const { records, report, state } = await live();
    expect(outcomes(report)).toEqual({
      bad: 'succeeded',
      asked: 'succeeded',
      beside: 'succeeded',
      after: 'succeeded',
      last: 'succeeded',
    });
    const paused = records.findIndex(({ type }) => type === 'run.paused');
    const resumed = records.findIndex(({ type }) => type === 'run.resumed');
    expect(paused).toBeGreaterThan(0);
    const between = records.slice(paused, resumed).map(({ type }) => type);
    expect(between).not.toContain('task.started');
    expect(refolded(records)).toEqual(state);
  });

  it('comes to the same end wherever its process dies', async () => {
    const whole = await live();
    for (let kept = 2; kept < whole.records.length; kept++) {
      const { end, report, records, state } = await live(whole.records.slice(0, kept));
      expect([kept, end]).toEqual([kept, 'ended']);
      expect([kept, outcomes(report)]).toEqual([kept, outcomes(whole.report)]);
      expect(refolded(records)).toEqual(state);
    }
  });
});

describe('a paused run', () => {
  const paused = async (verb: (core: RunCore) => RunVerb): Promise<HarnessResult> =>
    carryOut({
      document: { ...document, tasks: { bad: document.tasks.bad, beside: document.tasks.beside } },
      functions: { fails },
      onRecord: (record, core) => {
        if (record.type === 'run.paused') ask(core, verb(core));
      },
    });

  it('goes on without what it was paused for, which fails', async () => {
    const { report } = await paused(() => ({ verb: 'resume', by: 'me' }));
    expect(outcomes(report)).toEqual({ bad: 'failed', beside: 'succeeded' });
    expect(report.tasks[0]?.reason).toBe('attempts_exhausted');
  });

  it('goes on without a task that is skipped, and counts as partial', async () => {
    const { report, records } = await paused(() => ({ verb: 'skip', task: 'bad', by: 'me' }));
    expect(outcomes(report)).toEqual({ bad: 'skipped', beside: 'succeeded' });
    expect(report.status).toBe('partial');
    expect(records.map(({ type }) => type)).toContain('run.resumed');
  });

  it('is not stopped for a group that it can do without', async () => {
    const { report, records } = await carryOut({
      document: {
        ...document,
        tasks: { bad: document.tasks.bad, beside: document.tasks.beside },
        groups: { g: { tasks: ['bad'], critical: false } },
      },
      functions: { fails },
    });
    expect(outcomes(report)).toEqual({ bad: 'failed', beside: 'succeeded' });
    expect(records.map(({ type }) => type)).not.toContain('run.paused');
  });

  it('is cancelled like any other', async () => {
    const { report } = await carryOut({
      document,
      functions: { fails },
      onRecord: (record, core) => {
        if (record.type === 'run.paused') core.self.send({ type: 'run.cancel', by: 'me' });
      },
    });
    expect(report.status).toBe('cancelled');
  });

  it('lets barriers wait longer by the time of the pause', async () => {
    const { report } = await carryOut({
      document: {
        version: 1,
        tasks: {
          x: { uses: 'simulate', with: { duration: 20 } },
          y: { uses: 'simulate', needs: ['x'], with: { duration: 20 } },
        },
        groups: { g: { tasks: ['x', 'y'], barrier: { timeout: 100 } } },
      },
      during: (core, clock) => {
        ask(core, { verb: 'pause', by: 'me' });
        clock.setTimeout(() => ask(core, { verb: 'resume', by: 'me' }), 10_000);
      },
    });
    expect(outcomes(report)).toEqual({ x: 'succeeded', y: 'succeeded' });
  });
});

describe('the words of a person', () => {
  it('are refused where they mean nothing, with the reason', async () => {
    const refused: string[] = [];
    await carryOut({
      document: { ...document, tasks: { beside: document.tasks.beside } },
      onRecord: (record, core) => {
        if (record.type !== 'task.started') return;
        const verbs: readonly RunVerb[] = [
          { verb: 'retry', task: 'nobody', by: 'me' },
          { verb: 'retry', task: 'beside', by: 'me' },
          { verb: 'answer', question: 7, choice: 'retry', by: 'me' },
        ];
        for (const verb of verbs)
          core.self.send({
            type: 'verb.asked',
            verb,
            answer: (error) => refused.push(error?.code ?? 'taken'),
          });
      },
    });
    expect(refused).toEqual(['TRP_TASK_STATE', 'TRP_TASK_STATE', 'TRP_QUESTION_UNKNOWN']);
  });
});
