import { connect, JSONCodec } from 'nats';
import type { KvEntry, NatsConnection } from 'nats';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TaskFunction } from '../../../src/actors/behaviours/behaviour.ts';
import { connectNats } from '../../../src/bus/nats/connect.ts';
import { systemClock } from '../../../src/core/clock.ts';
import type { RunHandle, Troupe } from '../../../src/runtime/api.ts';
import { removeOldProjections } from '../../../src/runtime/projection/janitor.ts';
import { createTroupe } from '../../../src/runtime/troupe.ts';
import { eventually } from '../../support/eventually.ts';
import { startNatsServer } from '../../support/nats-server.ts';
import type { NatsServer } from '../../support/nats-server.ts';

const json = JSONCodec<unknown>();

/** What a client without anything of ours sees. */
class Observer {
  readonly messages = new Map<string, unknown[]>();
  readonly keys = new Map<string, unknown>();
  private readonly connection: NatsConnection;

  private constructor(connection: NatsConnection) {
    this.connection = connection;
  }

  static async begin(url: string): Promise<Observer> {
    const observer = new Observer(await connect({ servers: url }));
    observer.connection.subscribe('troupe.v1.default.mem.>', {
      callback: (error, { subject, data }) => {
        if (error || data.length === 0) return;
        observer.messages.set(subject, [
          ...(observer.messages.get(subject) ?? []),
          json.decode(data),
        ]);
      },
    });
    await observer.connection.flush();
    return observer;
  }

  /** Follows the bucket as `nats kv watch` does. */
  async watchBucket(): Promise<void> {
    const bucket = await this.connection.jetstream().views.kv('troupe_default_mem', {
      bindOnly: true,
    });
    const watch = await bucket.watch();
    void (async () => {
      for await (const entry of watch as AsyncIterable<KvEntry>)
        if (entry.operation === 'PUT') this.keys.set(entry.key, json.decode(entry.value));
    })();
  }

  close(): Promise<void> {
    return this.connection.close();
  }
}

const work: TaskFunction = async ({ memory, task, progress }) => {
  for (let step = 1; step <= 20; step++) {
    progress({ fraction: step / 20, message: `step ${step}` });
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  memory.set(`out.${task}`, { by: task, list: [1, 2] });
  return { of: task };
};

const document = {
  version: 1,
  agents: { worker: { uses: 'function', module: 'host:work' } },
  tasks: {
    a: { agent: 'worker', writes: ['out.*'] },
    each: { agent: 'worker', for_each: [1, 2], writes: ['out.*'] },
  },
};

describe('a run on a NATS server', () => {
  let server: NatsServer;
  let troupe: Troupe | undefined;
  let observer: Observer;
  const closing: (() => Promise<void>)[] = [];

  beforeEach(async () => {
    server = await startNatsServer();
    observer = await Observer.begin(server.url);
  });
  afterEach(async () => {
    await troupe?.close();
    await observer.close();
    await Promise.all(closing.splice(0).map((close) => close()));
    await server.stop();
  });

  const start = async (functions: { readonly [name: string]: TaskFunction } = { work }) => {
    troupe = await createTroupe({ bus: server.url, functions });
    return troupe.run(document);
  };
  const ended = async (run: RunHandle): Promise<void> => {
    expect((await run.outcome()).status).toBe('succeeded');
    const key = `${run.id}.parallel.run`;
    const subject = `troupe.v1.default.mem.${key}`;
    await eventually('its end is shown', () =>
      (observer.messages.get(subject) ?? []).some((value) => (value as { ended?: true }).ended),
    );
  };

  it('is read as JSON by a plain client: results, memory and progress by subject', async () => {
    const run = await start();
    await ended(run);
    const last = (key: string): unknown =>
      observer.messages.get(`troupe.v1.default.mem.${run.id}.${key}`)?.at(-1);
    expect(last('out.a')).toEqual({ by: 'a', list: [1, 2] });
    expect(last('parallel.results.a')).toEqual({
      task: 'a',
      outcome: 'succeeded',
      output: { of: 'a' },
    });
    expect(last('parallel.results.each=5B0=5D')).toMatchObject({ task: 'each[0]' });
    await eventually('the last progress is there', () =>
      Boolean((last('parallel.progress.a') as { fraction?: number } | undefined)?.fraction === 1),
    );
    const steps = observer.messages.get(`troupe.v1.default.mem.${run.id}.parallel.progress.a`);
    expect(steps?.length).toBeLessThan(20);
  });

  it('is followed by a watcher of the bucket that comes late', async () => {
    const run = await start();
    await ended(run);
    await observer.watchBucket();
    await eventually('the bucket is read', () => observer.keys.has(`${run.id}.parallel.run`));
    await eventually('all is there', () => observer.keys.has(`${run.id}.parallel.results.a`));
    expect(observer.keys.get(`${run.id}.out.a`)).toEqual({ by: 'a', list: [1, 2] });
    expect(observer.keys.get(`${run.id}.parallel.run`)).toMatchObject({ status: 'succeeded' });
  });

  it('goes on while the server is dead, and is shown when it is back', async () => {
    let reached: () => void = () => undefined;
    let release: () => void = () => undefined;
    const isReached = new Promise<void>((resolve) => (reached = resolve));
    const gate = new Promise<void>((resolve) => (release = resolve));
    const run = await start({
      work: async (context) => {
        reached();
        if (context.task === 'a') await gate;
        return work(context);
      },
    });
    await isReached;
    await server.kill();
    release();
    expect((await run.outcome()).status).toBe('succeeded');
    await server.start();
    const bucket = await troupe?.bus.keys('mem');
    await eventually('it is shown', async () => {
      const shown = await bucket?.get(`${run.id}.parallel.results.a`);
      return shown !== undefined;
    });
  });

  it('has its memory open to another process, which sees what its tasks write', async () => {
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const run = await start({ work: async (context) => gate.then(() => work(context)) });
    const other = await createTroupe({ bus: server.url });
    closing.push(() => other.close());
    const memory = await other.memory(run.id);
    closing.push(() => memory.close());
    const seen: number[] = [];
    memory.watch('out.>', ({ revision }) => seen.push(revision));
    await expect(memory.propose({ 'out.x': 1 })).rejects.toMatchObject({
      code: 'TRP_MEMORY_NOT_OWNER',
    });
    const mine = await memory.propose({ 'out.x': 1 }, { task: 'a', agent: 'worker' });
    expect(memory.view().get('out.x')).toBe(1);
    release();
    await run.outcome();
    await eventually('all is seen', () => memory.view().keys('out.>').length === 4);
    expect(seen[0]).toBe(mine.revision);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
  });

  it('is removed long after its end, and not before', async () => {
    const run = await start();
    await ended(run);
    await troupe?.close();
    const bus = await connectNats({ url: server.url, clock: systemClock, schedule: setImmediate });
    closing.push(() => bus.close());
    expect(await removeOldProjections(bus, systemClock)).toEqual([]);
    const later = { ...systemClock, now: () => systemClock.now() + 8 * 24 * 3_600_000 };
    expect(await removeOldProjections(bus, later)).toEqual([run.id]);
    expect(await (await bus.keys('mem')).keys()).toEqual([]);
    expect(await (await bus.log('jrn', run.id)).lastSeq()).toBeGreaterThanOrEqual(0);
  });
});
