import { expect, it } from 'vitest';
import type { HostMessage } from '../../../src/actors/remote/messages.ts';
import { SimulatedClock } from '../../../src/core/simulated-clock.ts';
import type { Plain } from '../../../src/core/plain.ts';
import { PromptAnswer } from '../../../src/runtime/worker/prompt-answer.ts';

const label = { run: 'r', task: 't', operation: 'o', attempt: 1, epoch: 1 };
const about = { protocol: 1, host: 'h', ...label } as const;

function result(output: Plain): HostMessage {
  return { ...about, type: 'result', output, changes: [] };
}

function bench(): {
  readonly clock: SimulatedClock;
  readonly answers: Plain[];
  readonly told: HostMessage[];
  readonly answer: PromptAnswer;
} {
  const clock = new SimulatedClock();
  const answers: Plain[] = [];
  const told: HostMessage[] = [];
  const answer = new PromptAnswer({
    clock,
    respond: (payload) => void answers.push(payload),
    otherwise: (message) => Promise.resolve(void told.push(message)),
  });
  return { clock, answers, told, answer };
}

it('answers with the result of work that ends within moments, and nothing else', async () => {
  const { clock, answers, told, answer } = bench();
  await answer.outlet(result(1));
  answer.begun();
  clock.step();
  expect(answers).toEqual([result(1)]);
  expect(told).toEqual([]);
});

it('answers that longer work has begun, and tells its end otherwise', async () => {
  const { clock, answers, told, answer } = bench();
  clock.step();
  expect(answers).toEqual([true]);
  await answer.outlet(result(1));
  expect(answers).toEqual([true]);
  expect(told).toEqual([result(1)]);
});

it('tells steps and large results otherwise, while the answer is open', async () => {
  const { clock, answers, told, answer } = bench();
  const step = { ...about, type: 'step', name: 's', value: 1 } as const;
  const large = result('x'.repeat(600_000));
  await answer.outlet(step);
  await answer.outlet(large);
  expect(answers).toEqual([]);
  expect(told).toEqual([step, large]);
  clock.step();
  expect(answers).toEqual([true]);
});

it('answers that work has begun before it is handed back', () => {
  const { answers, answer } = bench();
  answer.begun();
  answer.begun();
  expect(answers).toEqual([true]);
});
