/** Agents that tell the outside what they do: a line each time, by operation id, with the process that did it. */
import { appendFileSync } from 'node:fs';
import { threadId } from 'node:worker_threads';

const observer = new URL('./effects.jsonl', import.meta.url);

/** @param {object} effect */
function note(effect) {
  appendFileSync(observer, `${JSON.stringify({ ...effect, pid: process.pid, threadId })}\n`);
}

/** @typedef {import('../../../src/actors/behaviours/behaviour.ts').TaskContext} TaskContext */

/** @param {TaskContext} context */
export async function work({ attempt, input, iteration, memory, operation, step, task }) {
  note({ kind: 'work', operation });
  const { fails = 0, output = null } = /** @type {{ fails?: number, output?: never }} */ (
    input ?? {}
  );
  for (const name of ['pay', 'ship']) {
    await step(name, () => {
      note({ kind: 'step', operation, step: name });
      return name;
    });
    if (attempt <= fails) throw new Error(`attempt ${attempt} fails after ${name}`);
  }
  memory.set(`worker.${task.replaceAll(/\W/g, '_')}`, iteration);
  return output ?? `${task}/${iteration}`;
}

/** @param {TaskContext} context */
export function check({ iteration, operation }) {
  note({ kind: 'work', operation });
  return { accepted: iteration > 1, feedback: 'once more' };
}
