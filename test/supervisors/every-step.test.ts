import { describe, expect, it } from 'vitest';
import type { TaskContext } from '../../src/actors/behaviours/behaviour.ts';
import type { JournalRecord } from '../../src/journal/record.ts';
import type { RunCore } from '../../src/supervisors/run/core.ts';
import { carryOut, outcomes, sim } from '../support/run-harness.ts';
import type { CrashPoint, HarnessOptions, HarnessResult } from '../support/run-harness.ts';

/** Fork and join, async merge, retries, timers, an escalation to a person, for each, and effects on the world outside. */
const document = {
  version: 1,
  name: 'every-step',
  defaults: { retry: { max_attempts: 3, backoff: 'fixed', initial: 7, jitter: 0 } },
  agents: {
    payer: { uses: 'function', module: 'host:pay', owns: ['paid.*'] },
    moody: { uses: 'function', module: 'host:moody', owns: ['moods.*'] },
    helpless: { uses: 'function', module: 'host:helpless' },
  },
  tasks: {
    list: sim(5, { with: { output: [1, 2, 3] } }),
    each: { agent: 'payer', needs: ['list'], for_each: '${tasks.list.output}', with: '${item}' },
    later: { agent: 'payer', not_before: 60, with: 'later' },
    left: { agent: 'payer', with: 'left' },
    right: { agent: 'moody', with: 'right' },
    slow: sim(500),
    merge_a: { agent: 'payer', with: 'a' },
    merge_b: sim(35, { with: { output: 'b' } }),
    asked: {
      agent: 'helpless',
      escalation: [
        { rung: 'retry', attempts: 2 },
        { rung: 'person', deadline: '1h', default: 'fail' },
      ],
    },
    last: { agent: 'payer', needs: ['pair', 'merged', 'asked', 'each', 'later'], with: 'last' },
  },
  groups: {
    pair: {
      tasks: ['left', 'right', 'slow'],
      barrier: { min_success: 2, timeout: 200, on_timeout: ['proceed_with_available'] },
    },
    merged: { tasks: ['merge_a', 'merge_b'], mode: 'async_merge' },
  },
};

/**
 * Stands outside of all processes, like a service that is paid: it does what it is asked for once per key, and
 * remembers every key that it was ever given.
 */
class Outside {
  readonly effects = new Map<string, number>();

  do(key: string): number {
    const before = this.effects.get(key);
    if (before !== undefined) return before;
    this.effects.set(key, this.effects.size + 1);
    return this.effects.size;
  }
}

function functionsOf(outside: Outside): NonNullable<HarnessOptions['functions']> {
  const pay = async ({ operation, step, memory, input, task }: TaskContext): Promise<string> => {
    await step('reserve', () => outside.do(`${operation}/reserve`) > 0);
    outside.do(operation);
    memory.set(`${task === 'right' ? 'moods' : 'paid'}.${String(input)}`, true);
    return `paid for ${String(input)}`;
  };
  return {
    pay,
    moody: async (context) => {
      await context.step('once', () => outside.do(`${context.operation}/once`) > 0);
      if (context.attempt === 1) throw new Error('a bad day');
      return pay(context);
    },
    helpless: () => {
      throw new Error('needs a person');
    },
  };
}

/** Answers every question as soon as it is asked; again after a crash, if its answer has not been written. */
function answerQuestions(record: JournalRecord, core: RunCore): void {
  if (record.type !== 'escalation.opened' || !record.choices) return;
  answer(core, record.seq);
}

function answer(core: RunCore, question: number): void {
  core.self.send({
    type: 'verb.asked',
    verb: { verb: 'answer', question, choice: 'value', value: 'by hand', by: 'anna' },
    answer: () => undefined,
  });
}

async function live(
  outside: Outside,
  life: Pick<HarnessOptions, 'records' | 'crash'>,
): Promise<HarnessResult> {
  return carryOut({
    document,
    functions: functionsOf(outside),
    onRecord: answerQuestions,
    during: (core) => {
      for (const row of core.ledger.state.tasks.values()) {
        const { parked, escalation } = row.recovery ?? {};
        if (parked === 'question' && escalation) answer(core, escalation.id);
      }
    },
    ...life,
  });
}

describe('a process that dies at a durable step', () => {
  const points: readonly CrashPoint[] = ['before', 'between', 'after'];

  it.each(points)(
    '%s the write leaves a run that ends as if nothing had been',
    async (point) => {
      const world = new Outside();
      const whole = await live(world, {});
      expect(whole.end).toBe('ended');
      expect(whole.report.status).toBe('partial');
      expect(whole.appends).toBeGreaterThan(30);
      // The last append is the end itself: whoever resumes an ended run asks for what had not succeeded to be done.
      for (let append = 2; append < whole.appends + (point === 'before' ? 1 : 0); append++) {
        const outside = new Outside();
        const died = await live(outside, { crash: { append, point } });
        expect(died.end, `append ${append}`).toBe('died');
        const resumed = await live(outside, { records: died.records });
        const context = `death ${point} append ${append}, after ${died.records.at(-1)?.type}`;
        expect(resumed.end, context).toBe('ended');
        expect(outcomes(resumed.report), context).toEqual(outcomes(whole.report));
        expect(resumed.report.outputs, context).toEqual(whole.report.outputs);
        expect(resumed.core.ledger.memory.hash(), context).toBe(whole.core.ledger.memory.hash());
        expect([...outside.effects.keys()].toSorted(), context).toEqual(
          [...world.effects.keys()].toSorted(),
        );
      }
    },
    120_000,
  );
});
