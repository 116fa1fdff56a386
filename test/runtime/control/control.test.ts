import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TroupeError } from '../../../src/core/errors.ts';
import type { Plain } from '../../../src/core/plain.ts';
import { askControl } from '../../../src/runtime/control/client.ts';
import { maxOpenRequests, maxPeers, serveControl } from '../../../src/runtime/control/server.ts';
import type { ControlServer, ServeControlOptions } from '../../../src/runtime/control/server.ts';
import { maxRequestBytes } from '../../../src/runtime/control/request.ts';
import { eventually } from '../../support/eventually.ts';

let dataDir: string;
const servers: ControlServer[] = [];

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'tc-'));
});

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
  rmSync(dataDir, { recursive: true, force: true });
});

async function serve(
  handle: ServeControlOptions['handle'],
  folder = dataDir,
): Promise<ControlServer> {
  const server = await serveControl({ dataDir: folder, node: 'node-1', handle });
  servers.push(server);
  return server;
}

/** Sends raw bytes and gives what came back until the server ended the connection or `lines` lines are there. */
async function raw(
  path: string,
  parts: readonly (string | Buffer)[],
  lines: number,
): Promise<{ [key: string]: unknown }[]> {
  const socket = connect(path);
  let text = '';
  socket.on('error', () => undefined);
  for (const part of parts) await new Promise((resolve) => socket.write(part, resolve));
  for await (const chunk of socket) {
    text += String(chunk);
    if (text.split('\n').length > lines) break;
  }
  socket.destroy();
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as { [key: string]: unknown });
}

const ask = (payload: Plain = null): Promise<Plain> =>
  askControl({ dataDir, node: 'node-1', verb: 'echo', run: 'run-1', payload });

describe('a request to a served node', () => {
  it('arrives with verb, run and payload, and its answer comes back', async () => {
    await serve(async ({ verb, run, payload }) => ({ verb, run, payload }));
    expect(await ask({ text: 'grüße\n', n: [1, null] })).toEqual({
      verb: 'echo',
      run: 'run-1',
      payload: { text: 'grüße\n', n: [1, null] },
    });
  });

  it('carries bytes out as base64 under $bytes', async () => {
    await serve(async () => ({ data: Buffer.from('hi'), view: Uint8Array.of(1) }));
    expect(await ask()).toEqual({ data: { $bytes: 'aGk=' }, view: { $bytes: 'AQ==' } });
  });

  it('rejects with the code, message and hint of what the handler threw', async () => {
    await serve(async () => {
      throw new TroupeError('TRP_RUN_ENDED', 'it is over', { hint: 'start another' });
    });
    await expect(ask()).rejects.toMatchObject({
      code: 'TRP_RUN_ENDED',
      message: 'it is over',
      hint: 'start another',
    });
  });

  it('rejects with TRP_INTERNAL when the handler threw something foreign', async () => {
    await serve(async () => Promise.reject(new RangeError('oops')));
    await expect(ask()).rejects.toMatchObject({ code: 'TRP_INTERNAL', message: 'oops' });
  });

  it('is refused by the asker when it is longer than the limit', async () => {
    await serve(async () => null);
    await expect(ask('x'.repeat(maxRequestBytes))).rejects.toMatchObject({
      code: 'TRP_CONTROL_REQUEST',
    });
  });

  it('may have an answer far longer than a request', async () => {
    await serve(async () => 'é'.repeat(1_000_000));
    expect(await ask()).toHaveLength(1_000_000);
  });
});

describe('a stranger on the socket', () => {
  it.each([
    ['no JSON', 'hello\n', null],
    ['no object', '[1]\n', null],
    ['no verb', '{"id":"7"}\n', '7'],
    ['an id that is no text', '{"id":7,"verb":"x"}\n', null],
    ['a run that is no text', '{"id":"7","verb":"x","run":{}}\n', '7'],
  ])('gets TRP_CONTROL_REQUEST for %s', async (_title, line, id) => {
    const { path } = await serve(async () => null);
    const [answer] = await raw(path, [line], 1);
    expect(answer).toMatchObject({ id, ok: false, error: { code: 'TRP_CONTROL_REQUEST' } });
  });

  it('is hung up on when a line never ends', async () => {
    const { path } = await serve(async () => null);
    const answers = await raw(path, ['x'.repeat(maxRequestBytes + 1)], 5);
    expect(answers).toMatchObject([{ ok: false, error: { code: 'TRP_CONTROL_REQUEST' } }]);
  });

  it('is hung up on, with the reason, when too many of its requests wait for an answer', async () => {
    const { path } = await serve(() => new Promise(() => undefined));
    const lines = Array.from({ length: maxOpenRequests + 5 }, (_, n) => {
      return `${JSON.stringify({ id: `${n}`, verb: 'x', run: 'run-1', payload: null })}\n`;
    });
    const answers = await raw(path, [lines.join('')], 5);
    expect(answers).toMatchObject([{ ok: false, error: { code: 'TRP_CONTROL_REQUEST' } }]);
    expect(JSON.stringify(answers)).toContain(`more than ${maxOpenRequests} requests`);
  });

  it('is not heard while as many peers are connected as may be', async () => {
    const { path } = await serve(async () => null);
    const peers = Array.from({ length: maxPeers }, () => connect(path));
    await Promise.all(peers.map((peer) => once(peer, 'connect')));
    const line = `${JSON.stringify({ id: '1', verb: 'x', run: 'run-1', payload: null })}\n`;
    // It is hung up on, with or without a word of the system.
    const heard = (): Promise<number> =>
      raw(path, [line], 1).then(
        ({ length }) => length,
        () => 0,
      );
    expect(await heard()).toBe(0);
    for (const peer of peers) peer.destroy();
    await eventually('there is room again', async () => (await heard()) === 1);
  });

  it('gets every answer of several requests, each under its own id, whatever the order of settling', async () => {
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const { path } = await serve(async ({ verb }) => {
      if (verb === 'slow') await gate;
      else release();
      return verb;
    });
    const answers = await raw(path, ['{"id":"1","verb":"slow"}\n{"id":"2","verb":"fast"}\n'], 2);
    expect(answers.map(({ id, payload }) => `${String(id)} ${String(payload)}`).sort()).toEqual([
      '1 slow',
      '2 fast',
    ]);
  });

  it('may split a character over two chunks', async () => {
    const { path } = await serve(async ({ payload }) => payload);
    const bytes = Buffer.from('{"id":"1","verb":"x","payload":"é"}\n');
    const cut = bytes.indexOf(0xa9);
    const [answer] = await raw(path, [bytes.subarray(0, cut), bytes.subarray(cut)], 1);
    expect(answer).toMatchObject({ ok: true, payload: 'é' });
  });

  it('leaves the node serving others', async () => {
    const { path } = await serve(async () => 'fine');
    await raw(path, ['x'.repeat(maxRequestBytes + 1)], 5);
    expect(await ask()).toBe('fine');
  });
});

describe('the socket', () => {
  it('is open to its owner only', async () => {
    const { path } = await serve(async () => null);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('lies in the folder of its node', async () => {
    const { path } = await serve(async () => null);
    expect(path).toBe(join(dataDir, 'nodes', 'node-1', 'control.sock'));
  });

  it('moves to the temporary folder when the path is too long, and is found there', async () => {
    const deep = join(dataDir, 'd'.repeat(60), 'e'.repeat(60));
    const server = await serve(async () => 'found', deep);
    expect(server.path.startsWith(tmpdir())).toBe(true);
    const pointer = join(deep, 'nodes', 'node-1', 'control.json');
    expect(JSON.parse(readFileSync(pointer, 'utf8'))).toEqual({ format: 1, path: server.path });
    expect(await askControl({ dataDir: deep, node: 'node-1', verb: 'x' })).toBe('found');
    await server.close();
    expect([existsSync(server.path), existsSync(pointer)]).toEqual([false, false]);
  });

  it('is not taken from a live owner', async () => {
    await serve(async () => 'first');
    await expect(serve(async () => 'second')).rejects.toMatchObject({ code: 'TRP_RUN_OWNED' });
    expect(await ask()).toBe('first');
  });

  it('is gone after close, which does not wait for a peer that stays connected', async () => {
    const server = await serve(async () => null);
    const peer = connect(server.path);
    await once(peer, 'connect');
    const gone = once(peer, 'close');
    await server.close();
    await gone;
    expect(existsSync(server.path)).toBe(false);
  });
});

describe('a node that does not answer', () => {
  it('gives TRP_CONTROL_UNREACHABLE when it never lived', async () => {
    await expect(ask()).rejects.toMatchObject({ code: 'TRP_CONTROL_UNREACHABLE' });
  });

  it('gives TRP_CONTROL_UNREACHABLE within the bound when it hangs', async () => {
    await serve(() => new Promise(() => undefined));
    const asked = askControl({ dataDir, node: 'node-1', verb: 'x', timeoutMs: 20 });
    await expect(asked).rejects.toMatchObject({
      code: 'TRP_CONTROL_UNREACHABLE',
      message: expect.stringContaining('20 ms'),
    });
  });

  it('gives TRP_CONTROL_UNREACHABLE when it hangs up', async () => {
    const server = await serve(() => new Promise(() => undefined));
    const asked = expect(ask()).rejects.toMatchObject({ code: 'TRP_CONTROL_UNREACHABLE' });
    const peer = connect(server.path);
    await once(peer, 'connect');
    await server.close();
    await asked;
  });

  it('gives TRP_CONTROL_UNREACHABLE when something else listens there', async () => {
    const server = await serve(async () => null);
    await server.close();
    const stranger = createServer((socket) => socket.resume().end('HTTP/1.1 400\n')).listen(
      server.path,
    );
    await once(stranger, 'listening');
    await expect(ask()).rejects.toMatchObject({ code: 'TRP_CONTROL_UNREACHABLE' });
    await new Promise((resolve) => stranger.close(resolve));
  });
});

describe('an owner in another process', () => {
  /** Listens like an owner would, answers one verb, and dies without a clean-up when it is killed. */
  const program = `
    const { createServer } = require('node:net');
    createServer((socket) => socket.on('data', (line) => {
      const { id, verb } = JSON.parse(line);
      socket.write(JSON.stringify({ id, ok: true, payload: verb + ' by ' + process.pid }) + '\\n');
    })).listen(process.argv[1], () => console.log('ready'));`;

  it('answers; killed, it is unreachable; and its stale socket is replaced by its successor', async () => {
    const first = await serve(async () => null);
    await first.close();
    const owner = spawn(process.execPath, ['-e', program, first.path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(owner.stdout, 'data');
    expect(await ask()).toBe(`echo by ${String(owner.pid)}`);
    owner.kill('SIGKILL');
    await once(owner, 'exit');
    expect(existsSync(first.path)).toBe(true);
    await expect(ask()).rejects.toMatchObject({ code: 'TRP_CONTROL_UNREACHABLE' });
    await serve(async () => 'successor');
    expect(await ask()).toBe('successor');
  });
});
