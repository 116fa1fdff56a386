/**
 * A nats-server for a measurement, and connections to it.
 *
 * @import { Bus } from '../../src/bus/bus.ts'
 * @import { Build } from './build.mjs'
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { installedServer } from '../../scripts/nats-server-binaries.mjs';

/** @typedef {{ url: string, connect: () => Promise<Bus>, end: () => Promise<void> }} NatsGround */

/**
 * A module of the build.
 * @param {Build} build
 * @param {string} path
 */
export function part({ folder }, path) {
  return import(pathToFileURL(`${folder}/${path}`).href);
}

/**
 * @param {Build} build
 * @returns {Promise<NatsGround | undefined>} undefined where no server is installed
 */
export async function natsGround(build) {
  const server = installedServer();
  if (!server) return undefined;
  const { connectNats } = await part(build, 'bus/nats/connect.js');
  const { systemClock: clock } = await part(build, 'core/clock.js');
  const store = mkdtempSync(join(tmpdir(), 'troupe-bench-nats-'));
  const port = await freePort();
  const flags = ['-a', '127.0.0.1', '-p', String(port), '-js', '-sd', store];
  const child = spawn(server.path, flags, { stdio: 'ignore' });
  // A load that fails does not come to its `end`.
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const url = `nats://127.0.0.1:${port}`;
  const connect = () => connectNats({ url, clock, schedule: setImmediate });
  await untilReached(connect);
  const end = async () => {
    process.off('exit', kill);
    kill();
    await new Promise((resolve) => child.once('exit', resolve));
    rmSync(store, { recursive: true, force: true });
  };
  return { url, connect, end };
}

/** @param {() => Promise<Bus>} connect */
async function untilReached(connect) {
  const mostTries = 100;
  for (let tries = 1; ; tries++) {
    try {
      return await (await connect()).close();
    } catch (error) {
      if (tries === mostTries) throw error;
      await delay(20);
    }
  }
}

/** @returns {Promise<number>} */
function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = /** @type {import('node:net').AddressInfo} */ (probe.address());
      probe.close(() => resolve(port));
    });
  });
}
