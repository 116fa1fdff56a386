/**
 * Load 6: commits to a shared memory by 8 writers, on one key and on many, beside a bare loop that appends to the
 * same bus and folds; and how fast a commit reaches 1, 10 and 100 watchers.
 *
 * @import { Build } from './build.mjs'
 * @import { Line } from './line.mjs'
 * @import { Bus } from '../../src/bus/bus.ts'
 * @import { SharedMemory } from '../../src/memory/shared/shared-memory.ts'
 */
import { setTimeout as delay } from 'node:timers/promises';
import { line } from './line.mjs';
import { median } from './measure.mjs';
import { natsGround, part } from './nats-ground.mjs';

const writers = 8;
const value = 'v'.repeat(100);

/**
 * Writers are members of their own, each with a connection and a copy of the memory, or share one member.
 * @type {readonly { side: string, members: number, key: (writer: number) => string }[]}
 */
const cases = [1, writers].flatMap((members) => [
  { side: `${writers} writers in ${members} members, one key`, members, key: () => 'k' },
  {
    side: `${writers} writers in ${members} members, many keys`,
    members,
    key: (/** @type {number} */ writer) => `own.w${writer}`,
  },
]);

/** @typedef {{ connect: () => Promise<Bus>, end: () => Promise<void> }} Ground */
/** @typedef {{ perSecond: number, p99Us: number }} Rate */

/**
 * @param {Build} build
 * @param {{ quick: boolean }} options
 * @returns {AsyncGenerator<Line>}
 */
export async function* sharedMemory(build, { quick }) {
  const rounds = quick ? 1 : 3;
  for (const [name, open] of Object.entries({ embedded: embeddedGround, nats: natsGround })) {
    const ground = await open(build);
    if (!ground) continue;
    yield* commitLines(build, { name, ground, rounds, n: quick ? 400 : 1600 });
    yield* fanOutLines(build, { name, ground, n: quick ? 50 : 300 });
    await ground.end();
  }
}

/**
 * @param {Build} build
 * @param {{ name: string, ground: Ground, rounds: number, n: number }} load
 * @returns {AsyncGenerator<Line>}
 */
async function* commitLines(build, { name, ground, rounds, n }) {
  /** @type {Map<string, Rate[]>} */
  const taken = new Map();
  const loops = [
    ...[1, writers].map((readers) => ({
      side: `raw ${readers}`,
      loop: () => rawLoop(build, ground, { n, readers }),
    })),
    ...cases.map(({ side, members, key }) => ({
      side,
      loop: () => commitLoop(build, ground, { n, members, key }),
    })),
  ];
  for (let round = -1; round < rounds; round++)
    for (const { side, loop } of loops) {
      const rate = await loop();
      if (round >= 0) taken.set(side, [...(taken.get(side) ?? []), rate]);
    }
  for (const { side, members } of cases) {
    const { perSecond, p99Us } = medianRate(taken.get(side));
    const raw = medianRate(taken.get(`raw ${members}`));
    yield line({
      bench: 'shared-memory',
      case: `${name}, ${side}`,
      n,
      ratio: raw.perSecond / perSecond,
      against: `time of ${writers} bare writers that append to one log, folded by ${members}`,
      ...(name === 'nats' ? { target: 1 / 0.6 } : {}),
      figures: {
        commits_per_s: perSecond,
        p99_us: p99Us,
        raw_appends_per_s: raw.perSecond,
        raw_p99_us: raw.p99Us,
        value_bytes: value.length,
      },
    });
  }
}

/**
 * Every writer appends a record and waits for it; readers fold them all.
 * @param {Build} build
 * @param {Ground} ground
 * @param {{ n: number, readers: number }} load
 * @returns {Promise<Rate>}
 */
async function rawLoop(build, ground, { n, readers }) {
  const { RunMemory } = await part(build, 'memory/run-memory.js');
  const buses = await Promise.all(Array.from({ length: writers }, ground.connect));
  const name = `raw-${unique()}`;
  const logs = await Promise.all(buses.map((bus) => bus.log('res', name)));
  let folded = 0;
  const following = await Promise.all(
    logs.slice(0, readers).map((log) => {
      const memory = new RunMemory();
      return log.follow((entry) => {
        memory.apply({ .../** @type {object} */ (entry.payload), seq: entry.seq });
        folded++;
      });
    }),
  );
  const rate = await timed(n, async (writer, index) => {
    const op = `${writer}:${index}`;
    const head = { type: 'memory.committed', task: 't', agent: 'a', op, base: 0, priority: 5 };
    await logs[writer]?.append({ ...head, changes: [{ key: 'k', value }] });
  });
  while (folded < n * readers) await delay(1);
  for (const one of following) one.stop();
  await Promise.all(buses.map((bus) => bus.close()));
  return rate;
}

/**
 * @param {Build} build
 * @param {Ground} ground
 * @param {{ n: number, members: number, key: (writer: number) => string }} load
 * @returns {Promise<Rate>}
 */
async function commitLoop(build, ground, { n, members: count, key }) {
  const { members, end } = await openMembers(build, ground, count);
  const rate = await timed(n, async (writer) => {
    await members[writer % count]?.update([key(writer)], () => ({ [key(writer)]: value }));
  });
  await end();
  return rate;
}

/**
 * @param {Build} build
 * @param {{ name: string, ground: Ground, n: number }} load
 * @returns {AsyncGenerator<Line>}
 */
async function* fanOutLines(build, { name, ground, n }) {
  for (const watchers of [1, 10, 100]) {
    const { members, end } = await openMembers(build, ground, 2);
    const [writer, reader] = members;
    let heard = 0;
    /** @type {() => void} */
    let all = () => undefined;
    for (let index = 0; index < watchers; index++)
      reader?.watch('w.>', () => {
        if (++heard % watchers === 0) all();
      });
    /** @type {number[]} */
    const times = [];
    for (let round = 0; round < n; round++) {
      const start = performance.now();
      /** @type {Promise<void>} */
      const told = new Promise((resolve) => {
        all = resolve;
      });
      await Promise.all([writer?.propose({ 'w.k': round }), told]);
      times.push((performance.now() - start) * 1000);
    }
    await end();
    yield line({
      bench: 'shared-memory',
      case: `${name}, a commit until ${watchers} watchers of another member have it`,
      n,
      figures: { p50_us: median(times), p99_us: percentile(times, 0.99) },
    });
  }
}

/**
 * @param {Build} build
 * @param {Ground} ground
 * @param {number} count
 */
async function openMembers(build, ground, count) {
  const { openSharedMemory } = await part(build, 'memory/shared/open.js');
  const name = `bench-${unique()}`;
  const buses = await Promise.all(Array.from({ length: count }, ground.connect));
  /** @type {SharedMemory[]} */
  const members = [];
  for (const bus of buses)
    members.push(await openSharedMemory({ bus, name, keys: { '>': 'last_writer_wins' } }));
  const end = async () => {
    await Promise.all(members.map((member) => member.close()));
    await Promise.all(buses.map((bus) => bus.close()));
  };
  return { members, end };
}

/**
 * Shares n acts among the writers, each doing one after the other.
 * @param {number} n
 * @param {(writer: number, index: number) => Promise<void>} act
 * @returns {Promise<Rate>}
 */
async function timed(n, act) {
  /** @type {number[]} */
  const times = [];
  const begun = performance.now();
  await Promise.all(
    Array.from({ length: writers }, async (_, writer) => {
      for (let index = 0; index < n / writers; index++) {
        const start = performance.now();
        await act(writer, index);
        times.push((performance.now() - start) * 1000);
      }
    }),
  );
  const seconds = (performance.now() - begun) / 1000;
  return { perSecond: n / seconds, p99Us: percentile(times, 0.99) };
}

/** @param {Build} build @returns {Promise<Ground>} */
async function embeddedGround(build) {
  const { createEmbeddedBus } = await part(build, 'bus/embedded/embedded-bus.js');
  const { systemClock: clock } = await part(build, 'core/clock.js');
  const root = createEmbeddedBus({ clock, schedule: setImmediate });
  return { connect: async () => root.peer(), end: () => root.close() };
}

let names = 0;
const unique = () => `${process.pid}-${++names}`;

/** @param {readonly number[]} values @param {number} share */
function percentile(values, share) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** @param {readonly Rate[] | undefined} rates */
function medianRate(rates = []) {
  return {
    perSecond: median(rates.map(({ perSecond }) => perSecond)),
    p99Us: median(rates.map(({ p99Us }) => p99Us)),
  };
}
