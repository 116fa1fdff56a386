/**
 * What the driver for NATS adds to the bare client: requests that are answered by another process, beside a loop with
 * an inbox and numbers of its own, and publishing until the server has it. Encoding is the same on both sides.
 *
 * @import { Build } from './build.mjs'
 * @import { Line } from './line.mjs'
 * @import { NatsPair } from './nats-pair.mjs'
 */
import { rateOf, ratesInTurn, slowdown } from './latencies.mjs';
import { line } from './line.mjs';
import { part } from './nats-ground.mjs';
import { natsPair } from './nats-pair.mjs';
import { noServerLine } from './no-server.mjs';
import { rawRequests } from './raw-requests.mjs';

const bench = 'nats bus';
/** Messages published before the publisher asks whether the server has them. */
const batch = 1000;

/** @typedef {{ encode: (value: object) => Uint8Array, decode: (bytes: Uint8Array) => unknown }} Codec */
/** @typedef {{ pair: NatsPair, codec: Codec, quick: boolean }} Ground */

/**
 * @param {Build} build
 * @param {{ quick: boolean }} options
 * @returns {AsyncGenerator<Line>}
 */
export async function* natsBus(build, { quick }) {
  const pair = await natsPair(build);
  if (!pair) return yield noServerLine(bench);
  try {
    const ground = { pair, codec: await part(build, 'bus/codec.js'), quick };
    for (const inFlight of [1, 64]) yield await requestLine(ground, inFlight);
    for (const bytes of [100, 1024]) yield await publishLine(ground, bytes);
  } finally {
    await pair.end();
  }
}

/**
 * @param {Ground} ground
 * @param {number} inFlight
 */
async function requestLine({ pair: { bus, client }, codec, quick }, inFlight) {
  const { encode, decode } = codec;
  const payload = payloadOf(100, codec);
  const ask = rawRequests(client);
  const n = quick ? 200 : inFlight === 1 ? 150 : 1_280;
  const load = (/** @type {(index: number) => Promise<unknown>} */ act) => () =>
    rateOf({ n, lanes: inFlight, act });
  const { ours, raw, theirs } = await ratesInTurn(
    {
      raw: load(async () => decode(await ask('bench.echo.raw', encode(payload)))),
      ours: load(() => bus.request('bench.echo.bus', payload)),
      theirs: load(async () => {
        const answer = await client.request('bench.echo.raw', encode(payload), { timeout: 5_000 });
        return decode(answer.data);
      }),
    },
    { rounds: quick ? 1 : 31, warmUps: quick ? 0 : 6 },
  );
  return line({
    bench,
    case: `request and reply, ${inFlight} in flight`,
    n,
    ratio: slowdown(ours, raw),
    against: 'time of a loop with its own inbox and numbers, without deadlines',
    target: 1 / 0.9,
    fails_at: quick ? null : 2,
    figures: {
      requests_per_s: ours.perSecond,
      p50_us: ours.p50Us,
      p99_us: ours.p99Us,
      cpu_us: ours.cpuUs,
      raw_requests_per_s: raw.perSecond,
      raw_p50_us: raw.p50Us,
      raw_p99_us: raw.p99Us,
      raw_cpu_us: raw.cpuUs,
      client_requests_per_s: theirs.perSecond,
      client_p50_us: theirs.p50Us,
      payload_bytes: encode(payload).length,
    },
  });
}

/**
 * @param {Ground} ground
 * @param {number} bytes of a payload
 */
async function publishLine({ pair: { bus, client }, codec, quick }, bytes) {
  const { encode } = codec;
  const payload = payloadOf(bytes, codec);
  const n = quick ? 2_000 : 10_000;
  const inBatches =
    (/** @type {() => void} */ publish, /** @type {() => Promise<void>} */ flush) => () =>
      rateOf({
        n: n / batch,
        lanes: 1,
        act: () => {
          for (let index = 0; index < batch; index++) publish();
          return flush();
        },
      });
  const { ours, raw } = await ratesInTurn(
    {
      raw: inBatches(
        () => client.publish('bench.to.nobody', encode(payload)),
        () => client.flush(),
      ),
      ours: inBatches(
        () => bus.publish('bench.to.nobody', payload),
        () => bus.flush(),
      ),
    },
    { rounds: quick ? 1 : 31, warmUps: quick ? 0 : 6 },
  );
  return line({
    bench,
    case: `publish ${bytes} bytes`,
    n,
    ratio: slowdown(ours, raw),
    against: 'time of the bare client with the same encoding, until the server has it',
    target: 1 / 0.85,
    fails_at: quick ? null : 2,
    figures: {
      messages_per_s: ours.perSecond * batch,
      cpu_us: ours.cpuUs / batch,
      raw_messages_per_s: raw.perSecond * batch,
      raw_cpu_us: raw.cpuUs / batch,
      payload_bytes: encode(payload).length,
    },
  });
}

/**
 * A report of progress, of about that many bytes.
 * @param {number} bytes
 * @param {Codec} codec
 */
function payloadOf(bytes, { encode }) {
  const head = { task: 'review', done: 3, of: 10, message: '' };
  return { ...head, message: 'm'.repeat(Math.max(0, bytes - encode(head).length - 1)) };
}
