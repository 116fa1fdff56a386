/**
 * The other process of the loads on NATS: `node nats-peer.mjs <folder of the build> <url>`. It answers requests, once by
 * the bus and once by the bare client with the same encoding, and publishes when its parent asks it to; it ends with
 * the channel to its parent.
 */
import { connect } from 'nats';
import { loadBuild } from './build.mjs';
import { part } from './nats-ground.mjs';

const [folder = '', url = ''] = process.argv.slice(2);
const build = await loadBuild(folder);
const { encode, decode } = await part(build, 'bus/codec.js');
const { connectNats } = await part(build, 'bus/nats/connect.js');
const { systemClock: clock } = await part(build, 'core/clock.js');
const bus = await connectNats({ url, clock, schedule: setImmediate });
const client = await connect({ servers: url });

bus.subscribe(
  'bench.echo.bus',
  (/** @type {import('../../src/bus/bus.ts').BusMessage} */ message) =>
    message.respond(message.payload),
);
client.subscribe('bench.echo.raw', {
  callback: (_error, message) => message.respond(encode(decode(message.data))),
});
await Promise.all([bus.flush(), client.flush()]);

process.on('message', (order) => {
  void publish(/** @type {{ subject: string, count: number, payload: object }} */ (order));
});
process.on('disconnect', () => process.exit());
process.send?.('ready');

/** @param {{ subject: string, count: number, payload: object }} order */
async function publish({ subject, count, payload }) {
  const batch = 1000;
  for (let sent = 0; sent < count; sent += batch) {
    for (let index = sent; index < Math.min(count, sent + batch); index++)
      bus.publish(subject, { ...payload, index });
    await bus.flush();
  }
  process.send?.('published');
}
