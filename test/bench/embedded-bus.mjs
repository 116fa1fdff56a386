/**
 * What a message on the embedded bus costs: published to one handler out of 1, 100 and 10,000 subjects, beside a
 * plain call through an array that a Map finds the handler for; asked and answered, beside an awaited
 * promise; and how the cost of subscribing grows.
 *
 * @import { Build } from './build.mjs'
 * @import { EmbeddedBus } from '../../src/bus/embedded/embedded-bus.ts'
 * @import { Line } from './line.mjs'
 */
import { line } from './line.mjs';
import { costPer, growthExponent, interleaved } from './measure.mjs';

/** Messages published before the publisher gives way. */
const batch = 1000;

/** @typedef {{ quick: boolean }} Options */

/**
 * @param {Build} build
 * @param {Options} options
 * @returns {AsyncGenerator<Line>}
 */
export async function* embeddedBus(build, options) {
  for (const subjects of [1, 100, 10_000]) yield await publishLine(build, subjects, options);
  yield await requestLine(build, options);
  yield await growthLine(build, options);
}

/**
 * @param {Build} build
 * @param {number} count of subjects, a subscription each
 * @param {Options} options
 */
async function publishLine(build, count, { quick }) {
  const n = quick ? 10_000 : 200_000;
  const subjects = Array.from({ length: count }, (_, index) => `troupe.v1.bench.live.run-${index}`);
  let [got, called] = [0, 0];
  const bus = build.createEmbeddedBus();
  const handlers = new Map();
  for (const subject of subjects) {
    bus.subscribe(subject, () => void got++);
    handlers.set(subject, () => void called++);
  }
  const payload = await checked(bus, { done: 1, of: 2, message: 'at work' });
  const sides = [
    { name: 'calls', prepare: async () => () => callAll({ n, subjects, handlers, payload }) },
    { name: 'bus', prepare: async () => () => publishAll({ n, subjects, bus, payload }) },
  ];
  const costs = await interleaved(sides, { rounds: quick ? 3 : 9, warmUps: 2 });
  await bus.close();
  if (got !== called) throw new Error(`${got} messages for ${called} calls`);
  const [ours, floor] = [costPer(n, costs.get('bus')), costPer(n, costs.get('calls'))];
  return line({
    bench: 'embedded bus',
    case: `publish to one of ${count}`,
    n,
    ratio: ours.cpuUs / floor.cpuUs,
    against: 'CPU of a call through a Map and an array',
    ...(count === 10_000 ? {} : { target: 3, fails_at: 8 }),
    figures: { bus_cpu_ns: ours.cpuUs * 1000, call_cpu_ns: floor.cpuUs * 1000 },
  });
}

/**
 * @param {Build} build
 * @param {Options} options
 */
async function requestLine(build, { quick }) {
  const n = quick ? 2_000 : 50_000;
  const bus = build.createEmbeddedBus();
  bus.subscribe('echo', (message) => message.respond(message.payload));
  const sides = [
    {
      name: 'promises',
      prepare: async () => async () => {
        for (let index = 0; index < n; index++) await new Promise((done) => done(index));
      },
    },
    {
      name: 'requests',
      prepare: async () => async () => {
        for (let index = 0; index < n; index++) await bus.request('echo', index);
      },
    },
  ];
  const costs = await interleaved(sides, { rounds: quick ? 3 : 9, warmUps: 2 });
  await bus.close();
  const [ours, floor] = [costPer(n, costs.get('requests')), costPer(n, costs.get('promises'))];
  return line({
    bench: 'embedded bus',
    case: 'request and reply, one at a time',
    n,
    ratio: ours.cpuUs / floor.cpuUs,
    against: 'CPU of an awaited promise',
    target: 10,
    fails_at: 30,
    figures: { request_cpu_us: ours.cpuUs, promise_cpu_us: floor.cpuUs },
  });
}

/**
 * Subscriptions that come one by one between messages, to patterns with and without wildcards.
 * @param {Build} build
 * @param {Options} options
 */
async function growthLine(build, { quick }) {
  const sizes = quick ? [200, 2_000] : [2_000, 20_000];
  const sides = sizes.map((size) => ({
    name: String(size),
    prepare: async () => async () => {
      const bus = build.createEmbeddedBus();
      for (let index = 0; index < size; index++) {
        bus.subscribe(index % 2 === 0 ? `s.${index}` : `s.${index}.*`, () => undefined);
        bus.publish(`s.${index >> 1}.x`, index);
      }
      await bus.close();
    },
  }));
  const costs = await interleaved(sides, { rounds: quick ? 3 : 7, warmUps: 2 });
  const at = (/** @type {number} */ n) => ({ n, cost: costs.get(String(n))?.cpuUs ?? NaN });
  const [small = 0, large = 0] = sizes;
  return line({
    bench: 'embedded bus',
    case: 'subscribe between messages: growth',
    n: large,
    ratio: growthExponent(at(small), at(large)),
    against: `exponent of CPU from ${small} to ${large} subscriptions; 1 is linear`,
    ...(quick ? {} : { target: 1.3, fails_at: 1.6 }),
    figures: { cpu_us_per_subscription: at(large).cost / large },
  });
}

/**
 * The payload as the bus passes it on, which is checked no more.
 * @param {EmbeddedBus} bus
 * @param {{ readonly [key: string]: string | number }} payload
 */
async function checked(bus, payload) {
  /** @type {import('../../src/core/plain.ts').Plain} */
  let seen = null;
  const subscription = bus.subscribe('check', (message) => {
    seen = message.payload;
  });
  bus.publish('check', payload);
  await bus.flush();
  subscription.unsubscribe();
  return seen;
}

/**
 * @param {{ n: number, subjects: readonly string[], bus: EmbeddedBus, payload: import('../../src/core/plain.ts').Plain }} load
 */
async function publishAll({ n, subjects, bus, payload }) {
  for (let sent = 0; sent < n; sent += batch) {
    for (let index = sent; index < sent + batch; index++)
      bus.publish(subjects[index % subjects.length] ?? '', payload);
    await bus.flush();
  }
}

/**
 * The floor: look the handler up, put it aside with what it gets, and call it a little later.
 * @param {{ n: number, subjects: readonly string[], handlers: ReadonlyMap<string, (payload: unknown) => void>, payload: unknown }} load
 */
async function callAll({ n, subjects, handlers, payload }) {
  for (let sent = 0; sent < n; sent += batch) {
    const waiting = [];
    for (let index = sent; index < sent + batch; index++)
      waiting.push(handlers.get(subjects[index % subjects.length] ?? ''), payload);
    await Promise.resolve();
    for (let index = 0; index < waiting.length; index += 2)
      /** @type {(payload: unknown) => void} */ (waiting[index])(waiting[index + 1]);
  }
}
