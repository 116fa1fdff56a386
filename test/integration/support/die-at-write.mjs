/**
 * Loaded before the command line: kills its own process, as `kill -9` would, at one write of the journal.
 * DIE_AT_WRITE: which write, from 1. DIE_WHERE: `before` it, `torn` (half of it is written), or `after` it,
 * before anybody hears that it is done.
 */
import { open } from 'node:fs/promises';
import { isMainThread } from 'node:worker_threads';

const { DIE_AT_WRITE, DIE_WHERE } = process.env;

/** @returns {never} */
function die() {
  process.kill(process.pid, 'SIGKILL');
  throw new Error('unreachable');
}

async function arm() {
  const handle = await open(process.execPath);
  const files = Object.getPrototypeOf(handle);
  await handle.close();
  const { write } = files;
  let writes = 0;
  /** @this {unknown} @param {Uint8Array | string} data @param {number[]} rest */
  files.write = async function (data, ...rest) {
    if (++writes !== Number(DIE_AT_WRITE)) return write.call(this, data, ...rest);
    if (DIE_WHERE === 'before') die();
    const [offset = 0, length = data.length, position = null] = rest;
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    const count = DIE_WHERE === 'torn' ? Math.floor(length / 2) : length;
    await write.call(this, bytes, offset, count, position);
    die();
  };
}

if (isMainThread) await arm();
