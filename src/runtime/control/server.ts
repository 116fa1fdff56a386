// Invariants of a served control socket:
// 1. One answer per request line, in whatever order the handler settles; the id says which.
// 2. Nobody but the owner of the files may connect: the socket is made with mode 0600, never widened after.
// 3. What one peer sends is bounded: one unfinished line, `maxOpenRequests` unanswered ones, `maxPeers` connections.
// 4. After close() resolves no handler's answer is written and the socket's path is gone.

import { chmod, mkdir, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { isMainThread } from 'node:worker_threads';
import { TroupeError } from '../../core/errors.ts';
import type { Plain } from '../../core/plain.ts';
import { controlAddress, publishAddress, withdrawAddress } from './address.ts';
import type { ControlAddress } from './address.ts';
import { controlErrorOf } from './answer.ts';
import type { ControlAnswer } from './answer.ts';
import { isAnswering } from './client.ts';
import { jsonLine } from './json.ts';
import { LineCutter } from './lines.ts';
import { malformed, maxRequestBytes, parseRequest, requestIdOf } from './request.ts';
import type { ControlRequest } from './request.ts';

/** Connections at one time. */
export const maxPeers = 64;

/** Requests of one connection that wait for their answer. */
export const maxOpenRequests = 32;

/** A connection that asks nothing for so long, and waits for nothing, is closed. */
const idleMs = 60_000;

/** What a peer that was refused gets to read the reason. */
const partingMs = 1000;

/** What a control server needs. */
export interface ServeControlOptions {
  /** The data folder; the socket lies in the node's folder below it. */
  readonly dataDir: string;
  readonly node: string;
  /** Does what a request asks. What it throws becomes the answer's error. */
  readonly handle: (request: ControlRequest) => Promise<Plain>;
}

/** A control socket that is being served. */
export interface ControlServer {
  /** The socket, or the named pipe on Windows. */
  readonly path: string;
  close(): Promise<void>;
}

/**
 * Serves a node's control socket: one JSON request a line, one JSON answer a line; see docs/control.md.
 * A socket file that a dead predecessor left is replaced.
 * @throws TroupeError TRP_RUN_OWNED when a live process serves this node already.
 */
export async function serveControl(options: ServeControlOptions): Promise<ControlServer> {
  const address = controlAddress(options.dataDir, options.node);
  await mkdir(address.folder, { recursive: true, mode: 0o700 });
  await clearStale(address);
  const peers = new Set<Socket>();
  const server = createServer((socket) => new Peer(socket, options.handle, peers));
  server.maxConnections = maxPeers;
  await listen(server, address.path);
  await publishAddress(address);
  return { path: address.path, close: () => stop(server, peers, address) };
}

/** One connection. */
class Peer {
  private readonly socket: Socket;
  private readonly handle: ServeControlOptions['handle'];
  private readonly cutter = new LineCutter(maxRequestBytes);
  private open = 0;
  private isHungUp = false;

  constructor(socket: Socket, handle: ServeControlOptions['handle'], peers: Set<Socket>) {
    this.socket = socket;
    this.handle = handle;
    peers.add(socket);
    socket.on('close', () => peers.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.setTimeout(idleMs, () => this.open === 0 && socket.destroy());
    socket.on('data', (chunk: Buffer) => this.receive(chunk));
  }

  private receive(chunk: Buffer): void {
    const lines = this.cutter.push(chunk);
    if (!lines) return this.hangUp(malformed(`a request is longer than ${maxRequestBytes} bytes`));
    for (const line of lines) if (line.trim() !== '' && !this.isHungUp) this.accept(line);
  }

  private accept(line: string): void {
    if (this.open >= maxOpenRequests)
      return this.hangUp(malformed(`more than ${maxOpenRequests} requests wait for an answer`));
    this.open++;
    void this.answerTo(line).then((answer) => {
      this.open--;
      this.send(answer);
    });
  }

  private async answerTo(line: string): Promise<ControlAnswer> {
    try {
      const request = parseRequest(line);
      return { id: request.id, ok: true, payload: await this.handle(request) };
    } catch (thrown) {
      return { id: requestIdOf(line), ok: false, error: controlErrorOf(thrown) };
    }
  }

  private hangUp(error: TroupeError): void {
    this.isHungUp = true;
    this.socket.removeAllListeners('data');
    this.socket.resume();
    this.socket.setTimeout(partingMs, () => this.socket.destroy());
    this.socket.end(jsonLine({ id: null, ok: false, error: controlErrorOf(error) }));
  }

  private send(answer: ControlAnswer): void {
    if (this.socket.writable) this.socket.write(jsonLine(answer));
  }
}

/** A socket file outlives its process; only one that still answers is left alone. */
async function clearStale(address: ControlAddress): Promise<void> {
  if (await isAnswering(address.path)) {
    throw new TroupeError('TRP_RUN_OWNED', 'another live process serves this node', {
      place: address.path,
    });
  }
  if (process.platform !== 'win32') await rm(address.path, { force: true });
}

/**
 * The mask is in force exactly while `listen` binds, which it does before it returns. A thread cannot set
 * the mask of its process; there the folder's own mode keeps strangers out until the mode is set.
 */
async function listen(server: Server, path: string): Promise<void> {
  const bound = new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.once('listening', resolve);
  });
  const mask = isMainThread ? process.umask(0o177) : undefined;
  try {
    server.listen(path);
  } finally {
    if (mask !== undefined) process.umask(mask);
  }
  await bound;
  server.on('error', () => undefined);
  if (process.platform !== 'win32') await chmod(path, 0o600);
}

async function stop(
  server: Server,
  peers: ReadonlySet<Socket>,
  address: ControlAddress,
): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  for (const peer of peers) peer.destroy();
  await closed;
  await withdrawAddress(address);
}
