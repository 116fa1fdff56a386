/** A worker host for a measurement, which also echoes plain requests: `remote-peer.mjs BUILD URL SLOTS`. */
import { connect } from 'nats';
import { part } from './nats-ground.mjs';

const [folder = '', url = '', slots = '1'] = process.argv.slice(2);
const build = /** @type {import('./build.mjs').Build} */ ({ folder });
const { createWorker } = await part(build, 'index.js');
const { setTimeout: delay } = await import('node:timers/promises');
const functions = {
  nothing: () => null,
  /** @param {{ input: number }} context */
  sleep: ({ input }) => delay(input),
};
const client = await connect({ servers: url });
client.subscribe('bench.echo', { callback: (_error, message) => message.respond(message.data) });
await client.flush();
const worker = await createWorker({
  bus: url,
  pools: ['bench'],
  concurrency: Number(slots),
  functions,
});
process.send?.('ready');
const end = () => {
  void worker.drain().then(() => process.exit());
};
process.once('disconnect', end);
process.once('SIGTERM', end);
