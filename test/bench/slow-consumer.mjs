/**
 * What a subscriber holds that does not come to an end while a publisher runs ahead: after so many messages and after
 * five times as many, on the embedded bus and on NATS with the publisher in another process.
 *
 * @import { Bus, Subscription } from '../../src/bus/bus.ts'
 * @import { Build } from './build.mjs'
 * @import { Line } from './line.mjs'
 */
import { line } from './line.mjs';
import { liveHeapBytes } from './measure.mjs';
import { natsPair } from './nats-pair.mjs';
import { noServerLine } from './no-server.mjs';

const bench = 'slow consumer';
const subject = 'bench.slow';
const messageBytes = 1000;
const megabyte = 1_048_576;

/** @typedef {{ quick: boolean, messages: number, maxPending: number }} Sizes */

/**
 * @param {Build} build
 * @param {{ quick: boolean }} options
 * @returns {AsyncGenerator<Line>}
 */
export async function* slowConsumer(build, { quick }) {
  const sizes = quick
    ? { quick, messages: 2_000, maxPending: 500 }
    : { quick, messages: 15_000, maxPending: 5_000 };
  const embedded = build.createEmbeddedBus();
  yield await heldLine('embedded', sizes, {
    bus: embedded,
    publish: (count) => publishHere(embedded, count),
  });
  await embedded.close();
  const pair = await natsPair(build);
  if (!pair) return yield noServerLine(bench);
  try {
    const payload = { message: 'm'.repeat(messageBytes) };
    yield await heldLine('nats', sizes, {
      bus: pair.bus,
      publish: (count) => pair.publishThere({ subject, count, payload }),
    });
  } finally {
    await pair.end();
  }
}

/**
 * @param {string} name
 * @param {Sizes} sizes
 * @param {{ bus: Bus, publish: (count: number) => Promise<void> }} ground
 */
async function heldLine(name, sizes, { bus, publish }) {
  const { messages, maxPending } = sizes;
  const consumer = new StuckConsumer();
  const subscription = bus.subscribe(subject, () => consumer.take(), {
    maxPending,
    sequential: true,
  });
  await publish(messages);
  await bus.flush();
  await consumer.letGo(subscription, messages);
  const droppedBefore = subscription.dropped;
  const before = await memory();
  consumer.stick();
  await publish(messages);
  await bus.flush();
  const early = await memory();
  await publish(4 * messages);
  await bus.flush();
  const late = await memory();
  const dropped = subscription.dropped - droppedBefore;
  await consumer.letGo(subscription, 6 * messages);
  const after = await memory();
  subscription.unsubscribe();
  return line({
    bench,
    case: `${name}, a publisher that runs ahead`,
    n: 5 * messages,
    ratio: (late.heap - before.heap) / (early.heap - before.heap),
    against: 'what was held after a fifth of the messages; 1 is bounded, 5 is not',
    target: 1.1,
    fails_at: sizes.quick ? null : 1.5,
    figures: {
      held_early_mb: early.heap - before.heap,
      held_late_mb: late.heap - before.heap,
      held_after_mb: after.heap - before.heap,
      published_mb: (5 * messages * messageBytes) / megabyte,
      rss_before_mb: before.rss,
      rss_early_mb: early.rss,
      rss_late_mb: late.rss,
      rss_after_mb: after.rss,
      dropped,
      max_pending: maxPending,
    },
  });
}

/** A handler that does not come to its end until it is let go. */
class StuckConsumer {
  constructor() {
    this.taken = 0;
    this.stick();
  }

  stick() {
    /** @type {Promise<void>} */
    this.stuck = new Promise((resolve) => {
      this.release = resolve;
    });
  }

  take() {
    this.taken++;
    return this.stuck;
  }

  /**
   * Resolves when every message was taken or dropped.
   * @param {Subscription} subscription
   * @param {number} published
   */
  async letGo(subscription, published) {
    this.release?.();
    while (this.taken + subscription.dropped < published)
      await new Promise((resolve) => setImmediate(resolve));
    if (this.taken + subscription.dropped > published) throw new Error('a message came twice');
  }
}

/**
 * @param {Bus} bus
 * @param {number} count
 */
async function publishHere(bus, count) {
  const batch = 500;
  for (let sent = 0; sent < count; sent += batch) {
    for (let index = 0; index < batch; index++)
      bus.publish(subject, { index, message: Buffer.alloc(messageBytes, 'm').toString('latin1') });
    await bus.flush();
  }
}

/** In megabytes: live objects with their buffers, and what the process has of the machine. */
async function memory() {
  const heap = await liveHeapBytes();
  const { external, rss } = process.memoryUsage();
  return { heap: (heap + external) / megabyte, rss: rss / megabyte };
}
