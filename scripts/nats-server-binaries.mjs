/** Where the nats-server binaries are that the tests run against. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * One nats-server of this machine.
 * @typedef {object} NatsServerBinary
 * @property {'default' | 'newest'} kind `default`: of the system; `newest`: unpacked by scripts/test-tools.mjs
 * @property {string} version such as 2.9.10
 * @property {string} path
 */

/** Holds one folder per version, each with an unpacked package. */
export const natsCacheFolder = fileURLToPath(
  new URL('../node_modules/.cache/troupe/nats-server/', import.meta.url),
);

/** Where package managers put servers that the PATH of a plain user may lack. */
const usualFolders = ['/usr/sbin', '/usr/local/bin', '/usr/local/sbin', '/opt/homebrew/bin'];

/**
 * All servers, the system's first; the newest only when it is newer than that.
 * @returns {NatsServerBinary[]}
 */
export function findNatsServers() {
  const installed = installedServer();
  const cached = cachedServer();
  if (!installed) return cached ? [{ ...cached, kind: 'default' }] : [];
  const newer = cached && compareVersions(cached.version, installed.version) > 0;
  return newer ? [installed, cached] : [installed];
}

/**
 * Of the variable TROUPE_NATS_SERVER, or else of PATH. Throws when the variable names something else.
 * @returns {NatsServerBinary | undefined}
 */
export function installedServer() {
  const named = process.env['TROUPE_NATS_SERVER'];
  if (named !== undefined && named !== '') {
    const server = serverAt(resolve(named), 'default');
    if (server) return server;
    throw new Error(`TROUPE_NATS_SERVER is ${named}, which is no nats-server.`);
  }
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...usualFolders];
  const program = process.platform === 'win32' ? 'nats-server.exe' : 'nats-server';
  const path = folders.map((folder) => join(folder, program)).find((file) => existsSync(file));
  return path === undefined ? undefined : serverAt(path, 'default');
}

/**
 * The newest version in the cache; its folder says which one it is.
 * @returns {NatsServerBinary | undefined}
 */
export function cachedServer() {
  if (!existsSync(natsCacheFolder)) return undefined;
  const versions = readdirSync(natsCacheFolder).filter((name) => /^\d+\.\d+\.\d+$/.test(name));
  for (const version of versions.sort(compareVersions).reverse()) {
    const folders = ['usr/sbin', 'usr/bin'].map((folder) => join(natsCacheFolder, version, folder));
    const path = folders
      .map((folder) => join(folder, 'nats-server'))
      .find((file) => existsSync(file));
    if (path !== undefined) return { kind: 'newest', version, path };
  }
  return undefined;
}

/**
 * Below 0 when the first is older.
 * @param {string} one @param {string} other
 */
export function compareVersions(one, other) {
  const [left, right] = [one, other].map((version) => version.split('.').map(Number));
  for (const index of [0, 1, 2]) {
    const difference = (left?.[index] ?? 0) - (right?.[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/**
 * Undefined when the program does not say its version.
 * @param {string} path @param {'default' | 'newest'} kind
 * @returns {NatsServerBinary | undefined}
 */
function serverAt(path, kind) {
  const { stdout } = spawnSync(path, ['--version'], { encoding: 'utf8' });
  const [, version] = /v(\d+\.\d+\.\d+)/.exec(stdout ?? '') ?? [];
  return version === undefined ? undefined : { kind, version, path };
}
