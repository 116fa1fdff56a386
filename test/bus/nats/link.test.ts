import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BusStatus } from '../../../src/bus/bus.ts';
import type { ClientLink } from '../../../src/bus/nats/client-link.ts';
import { openLink } from '../../../src/bus/nats/open-link.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { natsServers, startNatsServer } from '../../support/nats-server.ts';
import type { NatsServer } from '../../support/nats-server.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Resolves at the next change to the state. */
function state(link: ClientLink, wanted: BusStatus['state']): Promise<BusStatus> {
  return new Promise((resolve) => {
    const stop = link.onStatus((status) => {
      if (status.state !== wanted) return;
      stop();
      resolve(status);
    });
  });
}

describe.each(natsServers())('a link to nats-server $version', (version) => {
  let server: NatsServer;
  let link: ClientLink;
  let errors: unknown[];

  beforeEach(async () => {
    errors = [];
    server = await startNatsServer({ server: version });
    link = await openLink({
      url: server.url,
      clock: systemClock,
      schedule: setImmediate,
      onError: (error) => errors.push(error),
    });
  });
  afterEach(async () => {
    await link.close();
    await server.stop();
  });

  const echo = (subject: string): void => {
    link.connection.subscribe(subject, {
      callback: (_, message) => void message.respond(message.data),
    });
  };

  it('knows the version of its server', () => {
    expect(link.serverVersion.join('.')).toBe(version.version);
  });

  it('answers many requests at once, each with its own answer', async () => {
    echo('echo');
    const asked = Array.from({ length: 500 }, (_, n) => String(n));
    const answers = await Promise.all(
      asked.map((text) => link.request({ subject: 'echo', data: bytes(text) })),
    );
    expect(answers.map((answer) => answer.string())).toEqual(asked);
  });

  it('says at once that nobody listens', async () => {
    await expect(
      link.request({ subject: 'nobody', data: bytes(''), timeoutMs: 600_000 }),
    ).rejects.toMatchObject({ code: 'TRP_BUS_NO_RESPONDERS' });
  });

  it('gives up on an answer that does not come, and takes none afterwards', async () => {
    const late: (() => void)[] = [];
    link.connection.subscribe('late', {
      callback: (_, message) => void late.push(() => message.respond(message.data)),
    });
    await expect(
      link.request({ subject: 'late', data: bytes(''), timeoutMs: 5 }),
    ).rejects.toMatchObject({ code: 'TRP_BUS_TIMEOUT' });
    await link.flush();
    for (const respond of late) respond();
    await link.flush();
    expect(errors).toEqual([]);
  });

  it('fails requests at once when the connection is lost, and refuses more until it is back', async () => {
    link.connection.subscribe('silent', { callback: () => undefined });
    const asked = link.request({ subject: 'silent', data: bytes(''), timeoutMs: 600_000 });
    const lost = state(link, 'disconnected');
    const checked = expect(asked).rejects.toMatchObject({ code: 'TRP_BUS_DISCONNECTED' });
    await server.kill();
    await Promise.all([lost, checked]);
    await expect(
      link.request({ subject: 'silent', data: bytes(''), timeoutMs: 600_000 }),
    ).rejects.toMatchObject({ code: 'TRP_BUS_DISCONNECTED' });
    const back = state(link, 'connected');
    await server.start();
    await back;
    echo('echo');
    const answer = await link.request({ subject: 'echo', data: bytes('again') });
    expect(answer.string()).toBe('again');
  });

  it('carries a repeatable act over a disconnection', async () => {
    await server.kill();
    const info = link.persist('Asking', () =>
      link.request({ subject: '$JS.API.INFO', data: bytes('') }),
    );
    await server.start();
    expect((await info).json()).toHaveProperty('limits');
  });

  it('repeats an act that hung when the connection was lost', async () => {
    let tries = 0;
    const done = link.persist('Asking', () => {
      tries++;
      return tries === 1 ? new Promise<string>(() => undefined) : Promise.resolve('done');
    });
    await server.restart();
    expect([await done, tries]).toEqual(['done', 2]);
  });

  it('ends a repeatable act with its time, in words that say whether there was a connection', async () => {
    const never = (): Promise<never> => new Promise(() => undefined);
    await expect(link.persist('Waiting', never, 5)).rejects.toMatchObject({
      code: 'TRP_BUS_TIMEOUT',
    });
    const lost = state(link, 'disconnected');
    await server.kill();
    await lost;
    await expect(link.persist('Waiting', never, 5)).rejects.toMatchObject({
      code: 'TRP_BUS_DISCONNECTED',
    });
  });

  it('passes faults of a repeatable act on as they are', async () => {
    const fault = new RangeError('mine');
    await expect(link.persist('Failing', () => Promise.reject(fault))).rejects.toBe(fault);
  });

  it('calls listeners after each reconnection until they leave', async () => {
    let calls = 0;
    const stop = link.onReconnect(() => {
      calls++;
      throw new Error('listener');
    });
    for (let round = 0; round < 2; round++) {
      const back = state(link, 'connected');
      await server.restart();
      await back;
    }
    stop();
    const back = state(link, 'connected');
    await server.restart();
    await back;
    expect([calls, errors.length]).toEqual([2, 2]);
  });

  it('survives what delivered jobs throw', async () => {
    const done: number[] = [];
    link.deliver(() => {
      throw new Error('job');
    });
    link.deliver(() => void done.push(1));
    await link.delivered();
    expect([done, errors.length]).toEqual([[1], 1]);
  });

  it('makes the connection anew when a callback of the client throws in its read loop', async () => {
    link.connection.subscribe('bad', {
      callback: () => {
        throw new Error('in the read loop');
      },
    });
    const back = state(link, 'connected');
    link.connection.publish('bad');
    await back;
    echo('echo');
    const answer = await link.request({ subject: 'echo', data: bytes('alive') });
    expect([answer.string(), errors.length]).toEqual(['alive', 1]);
  });

  it('rejects what waits when it is closed', async () => {
    link.connection.subscribe('silent', { callback: () => undefined });
    const asked = expect(
      link.request({ subject: 'silent', data: bytes('') }),
    ).rejects.toMatchObject({ code: 'TRP_BUS_CLOSED' });
    const kept = expect(
      link.persist('Waiting', () => new Promise(() => undefined)),
    ).rejects.toMatchObject({ code: 'TRP_BUS_CLOSED' });
    await link.close();
    await Promise.all([asked, kept]);
    await expect(link.flush()).rejects.toMatchObject({ code: 'TRP_BUS_CLOSED' });
  });
});
