import { constants } from 'node:fs';
import { lstat, open, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { messageOf } from './context.mjs';

/**
 * Reading files of a repository that is not trusted: never outside it, never more than a bound,
 * never failing on broken text.
 *
 * @typedef {{ readonly text: string, readonly bytes: number, readonly truncated: boolean, readonly broken: boolean }} TextFile
 * @typedef {{ readonly reason: string }} Unread
 */

/** Bytes of one file that are looked at. */
export const maxFileBytes = 1024 * 1024;
const chunkBytes = 64 * 1024;

/**
 * The text of a file of the repository, or why it was not read.
 *
 * @param {string} root Absolute, with links resolved.
 * @param {string} path Relative to the root, with slashes.
 * @param {{ readonly signal?: AbortSignal, readonly limit?: number }} [options]
 * @returns {Promise<TextFile | Unread>}
 */
export async function readText(root, path, options = {}) {
  try {
    return await readInside(root, path, {
      limit: options.limit ?? maxFileBytes,
      signal: options.signal,
    });
  } catch (thrown) {
    options.signal?.throwIfAborted();
    return { reason: reasonOf(thrown) };
  }
}

/**
 * @param {TextFile | Unread} file
 * @returns {file is TextFile}
 */
export function isText(file) {
  return 'text' in file;
}

/**
 * @param {string} root
 * @param {string} path
 * @param {{ readonly signal: AbortSignal | undefined, readonly limit: number }} options
 * @returns {Promise<TextFile | Unread>}
 */
async function readInside(root, path, { signal, limit }) {
  const full = join(root, path);
  if (!(await lstat(full)).isFile()) return { reason: 'not a regular file' };
  if (!(await realpath(full)).startsWith(root.endsWith(sep) ? root : root + sep))
    return { reason: 'a link leads out of the repository' };
  const handle = await open(full, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    return decode(await readBytes(handle, limit + 1, signal), limit);
  } finally {
    await handle.close();
  }
}

/**
 * @param {import('node:fs/promises').FileHandle} handle
 * @param {number} limit
 * @param {AbortSignal | undefined} signal
 */
async function readBytes(handle, limit, signal) {
  /** @type {Buffer[]} */
  const chunks = [];
  let total = 0;
  while (total < limit) {
    signal?.throwIfAborted();
    const { bytesRead, buffer } = await handle.read(
      Buffer.alloc(Math.min(chunkBytes, limit - total)),
    );
    if (bytesRead === 0) break;
    chunks.push(buffer.subarray(0, bytesRead));
    total += bytesRead;
  }
  return Buffer.concat(chunks);
}

/**
 * @param {Buffer} bytes
 * @param {number} limit
 * @returns {TextFile | Unread}
 */
function decode(bytes, limit) {
  const encoding = encodingOf(bytes);
  if (encoding === 'utf-8' && bytes.subarray(0, 8192).includes(0))
    return { reason: 'binary content' };
  const text = new TextDecoder(encoding).decode(bytes.subarray(0, limit));
  return {
    text,
    bytes: Math.min(bytes.length, limit),
    truncated: bytes.length > limit,
    broken: text.includes('\uFFFD'),
  };
}

/** @param {Buffer} bytes */
function encodingOf(bytes) {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  return bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : 'utf-8';
}

/** @param {unknown} thrown System errors by their code: the message would name a path of this machine. */
function reasonOf(thrown) {
  const code = /** @type {{ code?: unknown }} */ (thrown)?.code;
  if (code === 'ENOENT') return 'no longer there';
  if (code === 'EACCES' || code === 'EPERM') return 'no permission to read';
  return typeof code === 'string' ? `cannot be read (${code})` : messageOf(thrown);
}

/** @param {string} text Lines without their ends, whatever ends them. */
export function linesOf(text) {
  return text.split(/\r\n|\n|\r/);
}
