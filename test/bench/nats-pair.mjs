/**
 * A nats-server, a bus and the bare client on it, and a second process on the same server.
 *
 * @import { NatsConnection } from 'nats'
 * @import { Bus } from '../../src/bus/bus.ts'
 * @import { Build } from './build.mjs'
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { connect } from 'nats';
import { natsGround } from './nats-ground.mjs';

/** @typedef {{ subject: string, count: number, payload: object }} Order */

/**
 * @typedef {object} NatsPair
 * @property {Bus} bus
 * @property {NatsConnection} client
 * @property {() => Promise<Bus>} connect another bus
 * @property {(order: Order) => Promise<void>} publishThere has the other process publish until the server has it all
 * @property {() => Promise<void>} end of everything that was started
 */

/**
 * @param {Build} build
 * @returns {Promise<NatsPair | undefined>} undefined where no server is installed
 */
export async function natsPair(build) {
  const ground = await natsGround(build);
  if (!ground) return undefined;
  const program = fileURLToPath(new URL('nats-peer.mjs', import.meta.url));
  const peer = fork(program, [build.folder, ground.url], { stdio: 'inherit' });
  const gone = once(peer, 'exit').then(() => {
    throw new Error('the other process ended');
  });
  gone.catch(() => undefined);
  const heard = () => Promise.race([once(peer, 'message'), gone]);
  await heard();
  const bus = await ground.connect();
  const client = await connect({ servers: ground.url });
  return {
    bus,
    client,
    connect: ground.connect,
    publishThere: async (order) => {
      const published = heard();
      peer.send(order);
      await published;
    },
    end: async () => {
      peer.disconnect();
      await gone.catch(() => undefined);
      await Promise.all([bus.close(), client.close()]);
      await ground.end();
    },
  };
}
