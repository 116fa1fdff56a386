/**
 * A run whose journal is on NATS: what a task costs, told in awaited publishes to JetStream in the same process. A task
 * alone in a row waits for two appends at most; side by side, tasks share them.
 *
 * @import { Build } from './build.mjs'
 * @import { Line } from './line.mjs'
 * @import { NatsGround } from './nats-ground.mjs'
 */
import { chainDocument, forEachDocument, numbers, runToEnd } from './build.mjs';
import { line } from './line.mjs';
import { median } from './measure.mjs';
import { natsGround } from './nats-ground.mjs';
import { noServerLine } from './no-server.mjs';

/** Encoded size of a frame with one small result, in bytes. */
const payload = new Uint8Array(300);

/**
 * @param {Build} build
 * @param {{ quick: boolean }} options
 * @returns {AsyncGenerator<Line>}
 */
export async function* busJournal(build, { quick }) {
  const ground = await natsGround(build);
  if (!ground) return yield noServerLine('bus journal');
  const [n, rounds] = quick ? [40, 2] : [400, 7];
  try {
    const row = await build.parse(chainDocument(n));
    const wide = await build.parse(forEachDocument());
    const cases = /** @type {const} */ ([
      ['in a row', row, {}, n, { target: 2, fails_at: 2 }],
      ['side by side, concurrency 256', wide, { items: numbers(n) }, n + 1, {}],
    ]);
    for (const [name, workflow, input, tasks, gate] of cases) {
      /** @type {{ ms: number, appends: number }[]} */
      const ours = [];
      /** @type {number[]} */
      const theirs = [];
      for (let round = 0; round < rounds; round++) {
        theirs.push(await publishes(ground, n));
        ours.push(await oneRun(build, ground, { workflow, input, tasks }));
      }
      const taskMs = median(ours.map(({ ms }) => ms)) / n;
      const publishMs = median(theirs) / n;
      yield line({
        bench: 'bus journal',
        case: `tasks ${name}`,
        n,
        ratio: median(ours.map(({ appends }) => appends)) / n,
        against: 'one append per task',
        ...gate,
        figures: {
          tasks_per_s: 1000 / taskMs,
          task_ms: taskMs,
          publish_ms: publishMs,
          task_in_awaited_publishes: taskMs / publishMs,
        },
      });
    }
  } finally {
    await ground.end();
  }
}

/**
 * Wall time of one run, and how many frames its journal has.
 * @param {Build} build
 * @param {NatsGround} ground
 * @param {{ workflow: Awaited<ReturnType<Build['parse']>>, input: NonNullable<Parameters<typeof runToEnd>[2]['input']>, tasks: number }} load
 */
async function oneRun(build, { url }, { workflow, input, tasks }) {
  const functions = { work: () => null };
  const troupe = await build.createTroupe({
    bus: url,
    journal: 'bus',
    functions,
    concurrency: 256,
  });
  try {
    const startedAt = performance.now();
    await runToEnd(troupe, workflow, { input, tasks });
    const ms = performance.now() - startedAt;
    const runs = await troupe.runs();
    const log = await troupe.bus.log('jrn', runs.at(-1)?.run_id ?? '');
    let appends = 0;
    for await (const _ of log.read()) appends++;
    return { ms, appends };
  } finally {
    await troupe.close();
  }
}

/**
 * Wall time of n publishes, each awaited before the next.
 * @param {NatsGround} ground
 * @param {number} n
 */
async function publishes({ connect }, n) {
  const bus = await connect();
  try {
    const log = await bus.log('res', 'bench');
    await log.append(payload);
    const startedAt = performance.now();
    for (let sent = 0; sent < n; sent++) await log.append(payload);
    return performance.now() - startedAt;
  } finally {
    await bus.close();
  }
}
