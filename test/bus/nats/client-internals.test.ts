import { createRequire } from 'node:module';
import { connect } from 'nats';
import type { NatsConnection } from 'nats';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  dropSocket,
  guardReadLoop,
  refuseConnections,
} from '../../../src/bus/nats/client-guard.ts';
import { WireWriter } from '../../../src/bus/nats/wire-writer.ts';
import { startNatsServer } from '../../support/nats-server.ts';
import type { NatsServer } from '../../support/nats-server.ts';

/** The version whose insides client-guard.ts and wire-writer.ts were written against. */
const known = '2.29.3';

interface Insides {
  protocol: {
    parser: { parse: unknown };
    sendCommand: unknown;
    sendSubscriptions: unknown;
    transport: { socket: { destroy: unknown } };
  };
  options: { inboxPrefix?: string };
}

describe('the insides of the client', () => {
  let server: NatsServer;
  let connection: NatsConnection;
  beforeEach(async () => {
    server = await startNatsServer({ jetStream: false });
    connection = await connect({ servers: server.url, inboxPrefix: '_INBOX_me' });
  });
  afterEach(async () => {
    await connection.close();
    await server.stop();
  });

  it(`are those of ${known}: look at client-guard.ts, wire-writer.ts and inbox.ts before another version`, () => {
    const require = createRequire(import.meta.url);
    const own = require('../../../package.json') as { dependencies: { nats: string } };
    const installed = require('nats/package.json') as { version: string };
    expect([own.dependencies.nats, installed.version]).toEqual([known, known]);
  });

  it('have what is used of them', () => {
    const { protocol, options } = connection as unknown as Insides;
    expect({
      parse: typeof protocol.parser.parse,
      sendCommand: typeof protocol.sendCommand,
      sendSubscriptions: typeof protocol.sendSubscriptions,
      destroy: typeof protocol.transport.socket.destroy,
      inboxPrefix: options.inboxPrefix,
    }).toEqual({
      parse: 'function',
      sendCommand: 'function',
      sendSubscriptions: 'function',
      destroy: 'function',
      inboxPrefix: '_INBOX_me',
    });
  });

  it('make a new parser with every connection, which is guarded as the first', async () => {
    const faults: unknown[] = [];
    guardReadLoop(connection, (error) => faults.push(error));
    const { protocol } = connection as unknown as Insides;
    const first = protocol.parser;
    const statuses = connection.status()[Symbol.asyncIterator]();
    await connection.reconnect();
    for (;;) {
      const next = (await statuses.next()) as { value?: { type?: string } };
      if (next.value?.type === 'reconnect') break;
    }
    expect(protocol.parser).not.toBe(first);
    connection.subscribe('a', {
      callback: () => {
        throw new Error('thrown');
      },
    });
    connection.publish('a');
    await connection.flush().catch(() => undefined);
    expect(faults).toHaveLength(1);
  });

  it('may be gone: messages go through the public ways then, whole and in order', async () => {
    const bare = new Proxy(connection, {
      get: (target, name) => {
        if (name === 'protocol') return undefined;
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
    guardReadLoop(bare, () => undefined);
    dropSocket(bare);
    refuseConnections(bare);
    const got: string[] = [];
    connection.subscribe('b', {
      callback: (_, message) => void got.push(`${message.string()} ${message.reply ?? ''}`),
    });
    const writer = new WireWriter(bare);
    for (const text of ['one', 'two']) writer.publish('b', Buffer.from(text), { reply: 'r' });
    writer.publish('b', Buffer.from('three'), undefined);
    await connection.flush();
    expect(got).toEqual(['one r', 'two r', 'three ']);
  });
});
