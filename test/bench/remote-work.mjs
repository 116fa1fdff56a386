/**
 * Tasks on worker hosts of other processes: what one costs beyond a task of this process, in requests of the bare client
 * at level memory and in awaited JetStream publishes at level process; and how waiting work grows with hosts.
 *
 * @import { Build } from './build.mjs'
 * @import { Line } from './line.mjs'
 * @import { NatsGround } from './nats-ground.mjs'
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connect } from 'nats';
import { line } from './line.mjs';
import { natsGround, part } from './nats-ground.mjs';
import { noServerLine } from './no-server.mjs';
import { rawRequests } from './raw-requests.mjs';
import { predict } from './scale-model.mjs';

const slotsPerHost = 8;
const sleepMs = 1_000;

/**
 * @param {Build} build
 * @param {{ quick: boolean }} options
 * @returns {AsyncGenerator<Line>}
 */
export async function* remoteWork(build, { quick }) {
  const ground = await natsGround(build);
  if (!ground) return yield noServerLine('remote-work');
  try {
    yield* roundTrips(build, ground, quick ? 30 : 300);
    yield* growth(build, ground, quick ? 1 : 5);
  } finally {
    await ground.end();
  }
}

/**
 * A bare request, or an awaited publish, goes out between any two tasks: what burdens the machine burdens both alike.
 * @param {Build} build
 * @param {NatsGround} ground
 * @param {number} tasks
 */
async function* roundTrips(build, ground, tasks) {
  const client = await connect({ servers: ground.url });
  const hosts = await hostsOf(build, ground, 1);
  const request = rawRequests(client);
  await (await client.jetstreamManager()).streams.add({ name: 'BENCH', subjects: ['bench.js'] });
  const js = client.jetstream();
  const payload = new Uint8Array(100);
  const units = {
    memory: () => request('bench.echo', payload),
    process: () => js.publish('bench.js', payload),
  };
  for (const level of /** @type {const} */ (['memory', 'process'])) {
    const load = { tasks, level, unit: units[level] };
    await chain(build, ground, { ...load, tasks: 20, isRemote: true });
    const local = await chain(build, ground, { ...load, isRemote: false });
    const remote = await chain(build, ground, { ...load, isRemote: true });
    yield line({
      bench: 'remote-work',
      case: `one remote task at a time, level ${level}`,
      n: tasks,
      ratio: (remote.taskMs - local.taskMs) / remote.unitMs,
      against: level === 'memory' ? 'a request of the bare client' : 'an awaited JetStream publish',
      target: level === 'memory' ? 2 : null,
      fails_at: level === 'memory' ? 4 : null,
      figures: {
        remote_p50_ms: remote.taskMs,
        local_p50_ms: local.taskMs,
        unit_p50_ms: remote.unitMs,
        remote_owner_cpu_ms: remote.cpuMs,
        local_owner_cpu_ms: local.cpuMs,
      },
    });
  }
  await hosts.end();
  await client.close();
}

/**
 * @param {Build} build
 * @param {NatsGround} ground
 * @param {number} rounds
 */
async function* growth(build, ground, rounds) {
  const cost = await costPerTask(build, ground, rounds * 60);
  let oneMs = 0;
  for (const count of [1, 2, 4]) {
    const hosts = await hostsOf(build, ground, count);
    const tasks = count * slotsPerHost * rounds;
    const tookMs = await burst(build, ground, { tasks, run: 'sleep', level: 'process' });
    await hosts.end();
    if (count === 1) oneMs = tookMs;
    const overheadMs = Math.max(0, oneMs / rounds - sleepMs);
    const model = predict({
      tasks,
      hosts: count,
      slotsPerHost,
      serviceMs: sleepMs,
      overheadMs,
      ...cost,
    });
    yield line({
      bench: 'remote-work',
      case: `sleeping tasks on ${count} hosts`,
      n: tasks,
      // As many rounds for each: the same time is perfect.
      ratio: tookMs / oneMs,
      against: 'the same rounds on one host',
      target: 1 / 0.95,
      fails_at: 1.5,
      figures: {
        efficiency: oneMs / tookMs,
        tasks_per_second: (tasks / tookMs) * 1000,
        predicted_ms: model.makespanMs,
        took_ms: tookMs,
        model_error: model.makespanMs / tookMs - 1,
        supervisor_ms_per_task: cost.supervisorMs,
      },
    });
  }
}

/**
 * What the owner of a run spends on a task that takes no time.
 * @param {Build} build
 * @param {NatsGround} ground
 * @param {number} tasks
 */
async function costPerTask(build, ground, tasks) {
  const hosts = await hostsOf(build, ground, 2, 64);
  await burst(build, ground, { tasks: 64, run: 'nothing', level: 'process' });
  const tookMs = await burst(build, ground, { tasks, run: 'nothing', level: 'process' });
  await hosts.end();
  return { supervisorMs: tookMs / tasks };
}

/**
 * @param {Build} build
 * @param {NatsGround} ground
 * @param {{ tasks: number, run: string, level: string }} load
 * @returns {Promise<number>} milliseconds from the first dispatch to the last end
 */
async function burst(build, ground, { tasks, run, level }) {
  const ids = Array.from({ length: tasks }, (_, index) => [`t${index}`, { with: sleepMs }]);
  const { events } = await carryOut(build, ground, {
    level,
    document: {
      pools: { bench: { remote: true } },
      agents: { a: { uses: 'function', module: `host:${run}`, pool: 'bench' } },
      defaults: { agent: 'a' },
      tasks: Object.fromEntries(ids),
    },
  });
  const from = events.find(({ type }) => type === 'task.started')?.at ?? 0;
  return (events.findLast(({ type }) => type === 'task.succeeded')?.at ?? 0) - from;
}

/**
 * Tasks one after the other, each behind a task of this process that measures the unit.
 * @param {Build} build
 * @param {NatsGround} ground
 * @param {{ tasks: number, level: string, isRemote: boolean, unit: () => Promise<unknown> }} load
 * @returns {Promise<{ taskMs: number, unitMs: number, cpuMs: number }>} medians; processor time per task and unit
 */
async function chain(build, ground, { tasks, level, isRemote, unit }) {
  const pool = isRemote ? { pool: 'bench' } : {};
  const ids = Array.from({ length: tasks }, (_, index) => [
    [`u${index}`, { agent: 'unit', ...(index > 0 && { needs: [`t${index - 1}`] }) }],
    [`t${index}`, { needs: [`u${index}`] }],
  ]).flat();
  /** @type {number[]} */
  const units = [];
  const measured = async () => {
    for (const ms of await timed(3, unit)) units.push(ms);
    return null;
  };
  const cpu = process.cpuUsage();
  const { events } = await carryOut(build, ground, {
    level,
    functions: { measured },
    document: {
      pools: { bench: { remote: true } },
      agents: {
        a: { uses: 'function', module: 'host:nothing', ...pool },
        unit: { uses: 'function', module: 'host:measured' },
      },
      defaults: { agent: 'a' },
      tasks: Object.fromEntries(ids),
    },
  });
  const { user, system } = process.cpuUsage(cpu);
  const ends = events.filter(({ type }) => type === 'task.succeeded').map(({ at }) => at);
  // Units and tasks take turns: a task's time is from the end of the unit before it.
  const took = ends.flatMap((at, index) => (index % 2 === 1 ? [at - (ends[index - 1] ?? at)] : []));
  return {
    taskMs: median(took),
    unitMs: median(units),
    cpuMs: (user + system) / 1000 / tasks,
  };
}

/**
 * @param {Build} build
 * @param {NatsGround} ground
 * @param {{ level: string, document: object, functions?: { readonly [name: string]: () => unknown } }} load
 */
async function carryOut(build, ground, { level, document, functions: own = {} }) {
  const { createTroupe } = await part(build, 'index.js');
  const dataDir = mkdtempSync(join(tmpdir(), 'troupe-bench-remote-'));
  const stored = level === 'memory' ? {} : { dataDir, level };
  const functions = { nothing: () => null, ...own };
  const troupe = await createTroupe({ bus: ground.url, concurrency: 10_000, functions, ...stored });
  /** @type {{ type: string, at: number }[]} */
  const events = [];
  const handle = await troupe.run(document);
  const watched = (async () => {
    for await (const { type } of handle.events()) events.push({ type, at: performance.now() });
  })();
  const { status } = await handle.outcome();
  await watched;
  await troupe.close();
  rmSync(dataDir, { recursive: true, force: true });
  if (status !== 'succeeded') throw new Error(`the run ${status}`);
  return { events };
}

/**
 * @param {Build} build
 * @param {NatsGround} ground
 * @param {number} count
 * @param {number} slots
 */
async function hostsOf(build, ground, count, slots = slotsPerHost) {
  const program = fileURLToPath(new URL('remote-peer.mjs', import.meta.url));
  const hosts = Array.from({ length: count }, () =>
    fork(program, [build.folder, ground.url, String(slots)], { stdio: 'inherit' }),
  );
  await Promise.all(hosts.map((host) => once(host, 'message')));
  const end = async () => {
    const gone = hosts.map((host) => once(host, 'exit'));
    for (const host of hosts) host.kill('SIGTERM');
    await Promise.all(gone);
  };
  return { end };
}

/**
 * @param {number} times
 * @param {() => Promise<unknown>} act
 * @returns {Promise<number[]>} milliseconds of each
 */
async function timed(times, act) {
  const took = [];
  for (let index = 0; index < times; index++) {
    const from = performance.now();
    await act();
    took.push(performance.now() - from);
  }
  return took;
}

/** @param {readonly number[]} values */
function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
