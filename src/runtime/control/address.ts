import { createHash } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** Longest socket path that every system takes: macOS and the BSDs allow 104 bytes with the closing zero, Linux 108. */
const maxSocketPathBytes = 100;

/** Where a node's control socket is. */
export interface ControlAddress {
  /** The node's folder in the data folder. */
  readonly folder: string;
  /** The socket, or the named pipe on Windows. */
  readonly path: string;
  /** The file that names `path` when that lies outside the folder; undefined: it lies inside. */
  readonly pointer: string | undefined;
}

/**
 * The address that a node serves on: `<data>/nodes/<node>/control.sock`; when that is too long for the
 * system, a socket in the temporary folder named by a hash of it, so that a successor finds the same one.
 */
export function controlAddress(
  dataDir: string,
  node: string,
  platform: NodeJS.Platform = process.platform,
): ControlAddress {
  const folder = resolve(dataDir, 'nodes', node);
  const inside = join(folder, 'control.sock');
  if (platform === 'win32') return outside(folder, `\\\\.\\pipe\\troupe-${hashOf(inside)}`);
  if (Buffer.byteLength(inside) <= maxSocketPathBytes)
    return { folder, path: inside, pointer: undefined };
  return outside(folder, join(tmpdir(), `troupe-${hashOf(inside)}.sock`));
}

/** The path to connect to: what the node wrote down, else the one that follows from its name. */
export async function findControlPath(dataDir: string, node: string): Promise<string> {
  const address = controlAddress(dataDir, node);
  const written = await readFile(pointerOf(address.folder), 'utf8').catch(() => '');
  return writtenPath(written) ?? address.path;
}

/** Writes down where the socket is, or removes what a predecessor wrote. */
export async function publishAddress(address: ControlAddress): Promise<void> {
  if (address.pointer === undefined) return rm(pointerOf(address.folder), { force: true });
  await writeFile(address.pointer, `${JSON.stringify({ format: 1, path: address.path })}\n`, {
    mode: 0o600,
  });
}

/** Takes back what {@link publishAddress} wrote. */
export async function withdrawAddress(address: ControlAddress): Promise<void> {
  if (address.pointer !== undefined) await rm(address.pointer, { force: true });
}

function outside(folder: string, path: string): ControlAddress {
  return { folder, path, pointer: pointerOf(folder) };
}

function pointerOf(folder: string): string {
  return join(folder, 'control.json');
}

function writtenPath(text: string): string | undefined {
  try {
    const { path } = JSON.parse(text) as { path?: unknown };
    return typeof path === 'string' ? path : undefined;
  } catch {
    return undefined;
  }
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 24);
}
