/**
 * What publishing on the embedded bus costs the publisher, and what delivery costs: a payload that is frozen already is put
 * before its receivers, out of 1, 100 and 10,000 subscriptions; and what one message to 1, 10 and 100
 * subscribers costs until all have it.
 *
 * @import { Build } from './build.mjs'
 * @import { Line } from './line.mjs'
 */
import { line } from './line.mjs';
import { growthExponent, median } from './measure.mjs';

const bench = 'publishing';
/** Messages between two deliveries: few enough that none gives way to the event loop. */
const batch = 500;

/** @typedef {{ enqueueNs: number, deliverNs: number }} Costs per message */

/** Subscriptions, and how many of their subjects are published to. */
const cases = [
  { count: 1, hot: 1 },
  { count: 100, hot: 100 },
  { count: 10_000, hot: 1_000 },
  { count: 10_000, hot: 10_000 },
];

/**
 * @param {Build} build
 * @param {{ quick: boolean }} options
 * @returns {AsyncGenerator<Line>}
 */
export async function* publishing(build, { quick }) {
  const load = { n: quick ? 5_000 : 50_000, rounds: quick ? 3 : 15 };
  for (const { count, hot } of cases) {
    const subjects = Array.from({ length: count }, (_, index) => `troupe.v1.bench.live.r-${index}`);
    const { ours, floor } = await measured(build, { ...load, subjects, hot, subscribers: 1 });
    yield line({
      bench,
      case: `enqueue, ${count} subscriptions, ${hot} of them reached`,
      n: load.n,
      ratio: ours.enqueueNs / floor.enqueueNs,
      against: 'time of finding the handler in a Map and putting it into an array',
      target: 3,
      fails_at: quick ? null : 8,
      figures: {
        enqueue_ns: ours.enqueueNs,
        aim_ns: 100,
        map_and_array_ns: floor.enqueueNs,
        deliver_ns: ours.deliverNs,
        call_ns: floor.deliverNs,
      },
    });
  }
  yield await fanOutLine(build, { quick });
}

/**
 * @param {Build} build
 * @param {{ quick: boolean }} options
 */
async function fanOutLine(build, { quick }) {
  const subjects = ['troupe.v1.bench.live.r'];
  const n = quick ? 2_000 : 20_000;
  const rounds = quick ? 3 : 9;
  /** @type {Map<number, number>} */
  const totals = new Map();
  for (const subscribers of [1, 10, 100]) {
    const size = Math.ceil(n / subscribers);
    const { ours } = await measured(build, { n: size, rounds, subjects, hot: 1, subscribers });
    totals.set(subscribers, ours.enqueueNs + ours.deliverNs);
  }
  const at = (/** @type {number} */ deliveries) => totals.get(deliveries) ?? NaN;
  return line({
    bench,
    case: 'one message to 1, 10, 100 subscribers: growth',
    n,
    ratio: growthExponent({ n: 1, cost: at(1) }, { n: 100, cost: at(100) }),
    against: 'exponent of time from 1 to 100 deliveries; 1 is linear',
    target: 1.05,
    fails_at: quick ? null : 1.3,
    figures: {
      one_ns: at(1),
      ten_ns_per_delivery: at(10) / 10,
      hundred_ns_per_delivery: at(100) / 100,
    },
  });
}

/**
 * @param {Build} build
 * @param {{ n: number, rounds: number, subjects: readonly string[], hot: number, subscribers: number }} load
 * @returns {Promise<{ ours: Costs, floor: Costs }>}
 */
async function measured(build, { n, rounds, subjects, hot, subscribers }) {
  const bus = build.createEmbeddedBus();
  let [got, called] = [0, 0];
  const handlers = new Map();
  for (const subject of subjects) {
    for (let index = 0; index < subscribers; index++) bus.subscribe(subject, () => void got++);
    handlers.set(subject, () => void called++);
  }
  const payload = await frozenBy(bus, { done: 1, of: 2, message: 'at work' });
  /** @type {{ ours: Costs[], floor: Costs[] }} */
  const taken = { ours: [], floor: [] };
  const warmUps = 3;
  for (let round = -warmUps; round < rounds; round++) {
    const reached = subjects.slice(0, hot);
    const ours = await timedBus({ n, subjects: reached, bus, payload });
    const floor = await timedCalls({ n, subjects: reached, handlers, payload });
    if (round < 0) continue;
    taken.ours.push(ours);
    taken.floor.push(floor);
  }
  await bus.close();
  if (got !== called * subscribers) throw new Error(`${got} messages for ${called} calls`);
  return { ours: middle(taken.ours), floor: middle(taken.floor) };
}

/**
 * @param {{ n: number, subjects: readonly string[], bus: ReturnType<Build['createEmbeddedBus']>, payload: import('../../src/core/plain.ts').Plain }} load
 */
async function timedBus({ n, subjects, bus, payload }) {
  return timed(n, {
    enqueue: (index) => bus.publish(subjects[index % subjects.length] ?? '', payload),
    deliver: () => bus.flush(),
  });
}

/**
 * @param {{ n: number, subjects: readonly string[], handlers: ReadonlyMap<string, (payload: unknown) => void>, payload: unknown }} load
 */
async function timedCalls({ n, subjects, handlers, payload }) {
  /** @type {unknown[]} */
  let waiting = [];
  return timed(n, {
    enqueue: (index) => {
      waiting.push(handlers.get(subjects[index % subjects.length] ?? ''), payload);
    },
    deliver: async () => {
      const due = waiting;
      waiting = [];
      await Promise.resolve();
      for (let index = 0; index < due.length; index += 2)
        /** @type {(payload: unknown) => void} */ (due[index])(due[index + 1]);
    },
  });
}

/**
 * @param {number} n
 * @param {{ enqueue: (index: number) => void, deliver: () => Promise<void> }} acts
 * @returns {Promise<Costs>}
 */
async function timed(n, { enqueue, deliver }) {
  let [enqueueMs, deliverMs] = [0, 0];
  for (let sent = 0; sent < n; sent += batch) {
    const end = Math.min(n, sent + batch);
    const begun = performance.now();
    for (let index = sent; index < end; index++) enqueue(index);
    const queued = performance.now();
    await deliver();
    enqueueMs += queued - begun;
    deliverMs += performance.now() - queued;
  }
  return { enqueueNs: (enqueueMs / n) * 1e6, deliverNs: (deliverMs / n) * 1e6 };
}

/**
 * The payload as the bus passes it on: it is checked no more when it comes again.
 * @param {ReturnType<Build['createEmbeddedBus']>} bus
 * @param {import('../../src/core/plain.ts').Plain} payload
 * @returns {Promise<import('../../src/core/plain.ts').Plain>}
 */
function frozenBy(bus, payload) {
  return new Promise((resolve) => {
    const subscription = bus.subscribe('freeze', (message) => {
      subscription.unsubscribe();
      resolve(message.payload);
    });
    bus.publish('freeze', payload);
  });
}

/**
 * @param {readonly Costs[]} costs
 * @returns {Costs}
 */
function middle(costs) {
  return {
    enqueueNs: median(costs.map(({ enqueueNs }) => enqueueNs)),
    deliverNs: median(costs.map(({ deliverNs }) => deliverNs)),
  };
}
