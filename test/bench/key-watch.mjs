/**
 * From the put of a key until 1, 10 and 100 watchers on another connection have it: on the embedded bus beside calls
 * of as many functions, on NATS beside the client's own key-value store and its watches.
 *
 * @import { NatsConnection } from 'nats'
 * @import { Bus } from '../../src/bus/bus.ts'
 * @import { Build } from './build.mjs'
 * @import { Line } from './line.mjs'
 */
import { rateOf, ratesInTurn } from './latencies.mjs';
import { line } from './line.mjs';
import { natsPair } from './nats-pair.mjs';
import { noServerLine } from './no-server.mjs';

const bench = 'key watch';
const counts = [1, 10, 100];

/** @typedef {{ put: (round: number) => Promise<unknown>, stop: () => Promise<void> }} Watched puts, until all have heard */

/**
 * @param {Build} build
 * @param {{ quick: boolean }} options
 * @returns {AsyncGenerator<Line>}
 */
export async function* keyWatch(build, { quick }) {
  const embedded = build.createEmbeddedBus();
  const other = embedded.peer();
  for (const watchers of counts) {
    const ours = await watchedBucket([embedded, other], watchers);
    const floor = watchedFunctions(watchers);
    yield await watchLine({ ours, floor, quick, watchers, name: 'embedded', n: 2_000 });
  }
  await Promise.all([embedded.close(), other.close()]);
  const pair = await natsPair(build);
  if (!pair) return yield noServerLine(bench);
  const second = await pair.connect();
  try {
    for (const watchers of counts) {
      const ours = await watchedBucket([pair.bus, second], watchers);
      const floor = await watchedStore(pair.client, watchers);
      yield await watchLine({ ours, floor, quick, watchers, name: 'nats', n: 250 });
    }
  } finally {
    await second.close();
    await pair.end();
  }
}

/**
 * @param {{ ours: Watched, floor: Watched, quick: boolean, watchers: number, name: 'embedded' | 'nats', n: number }} load
 */
async function watchLine({ ours, floor, quick, watchers, name, n: wanted }) {
  const n = quick ? Math.ceil(wanted / 25) : wanted;
  let round = 0;
  const rates = await ratesInTurn(
    {
      floor: () => rateOf({ n, lanes: 1, act: () => floor.put(++round) }),
      ours: () => rateOf({ n, lanes: 1, act: () => ours.put(++round) }),
    },
    { rounds: quick ? 1 : 3, warmUps: quick ? 0 : 1 },
  );
  await Promise.all([ours.stop(), floor.stop()]);
  return line({
    bench,
    case: `${name}, a put until ${watchers} watchers have it`,
    n,
    ratio: rates.ours.p50Us / rates.floor.p50Us,
    against:
      name === 'nats'
        ? "median time of the client's own key-value store and watches"
        : 'median time of a put into a Map and calls of as many functions',
    ...(name === 'nats' ? { target: 1.1, fails_at: quick ? null : 2.5 } : {}),
    figures: {
      p50_us: rates.ours.p50Us,
      p99_us: rates.ours.p99Us,
      baseline_p50_us: rates.floor.p50Us,
      baseline_p99_us: rates.floor.p99Us,
    },
  });
}

/** Resolves when as many have heard of the present round. */
class Hearing {
  /** @param {number} watchers */
  constructor(watchers) {
    this.watchers = watchers;
    this.round = 0;
    this.heard = 0;
    /** @type {() => void} */
    this.all = () => undefined;
  }

  /** @param {number} round @returns {Promise<void>} */
  expect(round) {
    this.round = round;
    this.heard = 0;
    return new Promise((resolve) => {
      this.all = resolve;
    });
  }

  /** @param {unknown} round */
  hear(round) {
    if (round === this.round && ++this.heard === this.watchers) this.all();
  }
}

let buckets = 0;

/**
 * @param {readonly [Bus, Bus]} buses one that writes and one that watches
 * @param {number} watchers
 * @returns {Promise<Watched>}
 */
async function watchedBucket([writer, watcher], watchers) {
  const name = `bench-${++buckets}`;
  const [written, watched] = await Promise.all([
    writer.keys(name, { stored: false }),
    watcher.keys(name, { stored: false }),
  ]);
  const hearing = new Hearing(watchers);
  const hear = (/** @type {import('../../src/bus/key-bucket.ts').WatchEvent} */ event) => {
    if (event.type === 'entry') hearing.hear(event.value);
  };
  const watches = await Promise.all(
    Array.from({ length: watchers }, () => watched.watch('w.>', hear)),
  );
  return {
    put: (round) => Promise.all([hearing.expect(round), written.put('w.k', round)]),
    stop: async () => {
      for (const watch of watches) watch.stop();
    },
  };
}

/**
 * @param {number} watchers
 * @returns {Watched}
 */
function watchedFunctions(watchers) {
  const values = new Map();
  const hearing = new Hearing(watchers);
  const functions = Array.from({ length: watchers }, () => (/** @type {number} */ round) => {
    hearing.hear(round);
  });
  return {
    put: (round) => {
      const all = hearing.expect(round);
      values.set('w.k', round);
      queueMicrotask(() => {
        for (const hear of functions) hear(round);
      });
      return all;
    },
    stop: async () => undefined,
  };
}

/**
 * @param {NatsConnection} client
 * @param {number} watchers
 * @returns {Promise<Watched>}
 */
async function watchedStore(client, watchers) {
  const { connect, StorageType } = await import('nats');
  const reader = await connect({ servers: client.getServer() });
  const name = `raw-${++buckets}`;
  const options = { history: 8, storage: StorageType.Memory };
  const written = await client.jetstream().views.kv(name, options);
  const watched = await reader.jetstream().views.kv(name, options);
  const hearing = new Hearing(watchers);
  for (let index = 0; index < watchers; index++) {
    const watch = await watched.watch({ key: 'w.>' });
    void (async () => {
      for await (const entry of watch) hearing.hear(entry.json());
    })();
  }
  return {
    put: (round) => Promise.all([hearing.expect(round), written.put('w.k', JSON.stringify(round))]),
    stop: () => reader.close(),
  };
}
