/**
 * What queues of work and logs cost: appends that are awaited one by one and with 64 under way, and items that are added,
 * pulled and acknowledged; on NATS beside the bare client doing the same on a stream of its own, and on the
 * embedded bus.
 *
 * @import { JetStreamClient, JetStreamManager } from 'nats'
 * @import { Bus } from '../../src/bus/bus.ts'
 * @import { Build } from './build.mjs'
 * @import { Rates } from './latencies.mjs'
 * @import { Line } from './line.mjs'
 * @import { NatsPair } from './nats-pair.mjs'
 */
import { rateOf, ratesInTurn, slowdown } from './latencies.mjs';
import { line } from './line.mjs';
import { part } from './nats-ground.mjs';
import { natsPair } from './nats-pair.mjs';
import { noServerLine } from './no-server.mjs';

const bench = 'bus storage';
const payload = { task: 'review', done: 3, of: 10, message: 'm'.repeat(64) };

/** @typedef {{ rounds: number, warmUps: number, n: (wanted: number) => number }} Sizes */

/**
 * @param {Build} build
 * @param {{ quick: boolean }} options
 * @returns {AsyncGenerator<Line>}
 */
export async function* busStorage(build, { quick }) {
  const sizes = {
    rounds: quick ? 1 : 9,
    warmUps: quick ? 0 : 2,
    n: (/** @type {number} */ wanted) => (quick ? Math.ceil(wanted / 20) : wanted),
  };
  const embedded = build.createEmbeddedBus();
  yield* embeddedLines(embedded, sizes);
  await embedded.close();
  const pair = await natsPair(build);
  if (!pair) return yield noServerLine(bench);
  try {
    const { encode } = await part(build, 'bus/codec.js');
    yield* natsLines(pair, encode(payload), sizes);
  } finally {
    await pair.end();
  }
}

/**
 * @param {Bus} bus
 * @param {Sizes} sizes
 * @returns {AsyncGenerator<Line>}
 */
async function* embeddedLines(bus, { n: sized, ...times }) {
  const log = await bus.log('res', 'bench');
  const n = sized(10_000);
  const { ours, floor } = await ratesInTurn(
    {
      floor: () => rateOf({ n, lanes: 1, act: () => Promise.resolve() }),
      ours: () => rateOf({ n, lanes: 1, act: () => log.append(payload) }),
    },
    times,
  );
  const against = 'time of an awaited promise';
  yield rateLine({ case: 'embedded, append awaited', n, against, ours, floor });
  const queue = await bus.workQueue('bench');
  const items = sized(2_000);
  const worked = await ratesInTurn(
    {
      floor: () => rateOf({ n: items, lanes: 1, act: () => Promise.resolve() }),
      ours: () => rateOf({ n: items, lanes: 1, act: () => addPullAck(queue) }),
    },
    times,
  );
  yield rateLine({ case: 'embedded, add, pull and ack', n: items, against, ...worked });
}

/**
 * @param {NatsPair} pair
 * @param {Uint8Array} data the same payload
 * @param {Sizes} sizes
 * @returns {AsyncGenerator<Line>}
 */
async function* natsLines({ bus, client }, data, { n: sized, ...times }) {
  const [js, manager] = [client.jetstream(), await client.jetstreamManager()];
  await manager.streams.add({ name: 'RAW_LOG', subjects: ['raw.log'] });
  const log = await bus.log('res', 'bench');
  for (const lanes of [1, 64]) {
    const n = sized(lanes === 1 ? 200 : 2_000);
    const rates = await ratesInTurn(
      {
        floor: () => rateOf({ n, lanes, act: () => js.publish('raw.log', data) }),
        ours: () => rateOf({ n, lanes, act: () => log.append(payload) }),
      },
      times,
    );
    yield rateLine({
      case: `nats, append, ${lanes} in flight`,
      n,
      against: "time of the client's js.publish to a stream in files",
      target: 1 / 0.85,
      fails_at: times.warmUps === 0 ? null : 2.5,
      ...rates,
    });
  }
  const n = sized(80);
  const raw = await rawQueue(js, manager, data);
  const queue = await bus.workQueue('bench');
  const rates = await ratesInTurn(
    {
      floor: () => rateOf({ n, lanes: 1, act: raw }),
      ours: () => rateOf({ n, lanes: 1, act: () => addPullAck(queue) }),
    },
    times,
  );
  yield rateLine({
    case: 'nats, add, pull and ack',
    n,
    against:
      'time of publish, next and double ack by the client: no levels, no limit, no record of who holds it',
    ...rates,
  });
}

let items = 0;

/** @param {import('../../src/bus/work-queue.ts').WorkQueue} queue */
async function addPullAck(queue) {
  await queue.add(payload, { id: `item-${++items}` });
  const item = await queue.pull({ waitMs: 5_000 });
  if (!item) throw new Error('an item got lost');
  await item.ack();
}

/**
 * @param {JetStreamClient} js
 * @param {JetStreamManager} manager
 * @param {Uint8Array} data
 */
async function rawQueue(js, manager, data) {
  const { AckPolicy, RetentionPolicy } = await import('nats');
  const stream = 'RAW_WORK';
  await manager.streams.add({
    name: stream,
    subjects: ['raw.work'],
    retention: RetentionPolicy.Workqueue,
  });
  await manager.consumers.add(stream, {
    durable_name: 'worker',
    ack_policy: AckPolicy.Explicit,
  });
  const consumer = await js.consumers.get(stream, 'worker');
  return async () => {
    await js.publish('raw.work', data, { msgID: `item-${++items}` });
    const message = await consumer.next({ expires: 5_000 });
    if (!message || !(await message.ackAck())) throw new Error('an item got lost');
  };
}

/**
 * @param {Pick<Line, 'case' | 'n' | 'against'> & Partial<Line> & { ours: Rates, floor: Rates }} parts
 */
function rateLine({ ours, floor, ...rest }) {
  return line({
    bench,
    ratio: slowdown(ours, floor),
    ...rest,
    figures: {
      per_s: ours.perSecond,
      p50_us: ours.p50Us,
      p99_us: ours.p99Us,
      baseline_per_s: floor.perSecond,
      baseline_p50_us: floor.p50Us,
    },
  });
}
