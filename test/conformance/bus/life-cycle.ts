import { describe, expect, it } from 'vitest';
import type { BusStatus } from '../../../src/bus/bus.ts';
import { eventually } from '../../support/eventually.ts';
import { benchFor, rejectsWith, upTo, withCode } from './under-test.ts';
import type { BusUnderTest } from './under-test.ts';
import { pulled } from './work-queue.ts';

/** Opening, closing, status, and that namespaces do not meet. */
export function lifeCycleSuite(driver: BusUnderTest): void {
  closeSuite(driver);
  statusSuite(driver);
  namespaceSuite(driver);
}

function closeSuite(driver: BusUnderTest): void {
  describe(`${driver.name}: closing`, () => {
    const bench = benchFor(driver);

    it('delivers what is queued, then refuses everything', async () => {
      const { bus } = bench;
      const got = bench.listen('a');
      for (const n of upTo(10)) bus.publish('a', n);
      const closed = bus.close();
      expect(() => bus.publish('a', 2)).toThrow(withCode('TRP_BUS_CLOSED') as Error);
      await closed;
      expect(got.map(({ payload }) => payload)).toEqual(upTo(10));
      const subscribe = (): unknown => bus.subscribe('a', () => undefined);
      expect(subscribe).toThrow(withCode('TRP_BUS_CLOSED') as Error);
      await rejectsWith('TRP_BUS_CLOSED', bus.request('a', 1));
      await rejectsWith('TRP_BUS_CLOSED', bus.workQueue('pool'));
      await rejectsWith('TRP_BUS_CLOSED', bus.log('jrn', 'run'));
      await rejectsWith('TRP_BUS_CLOSED', bus.keys('mem'));
      await rejectsWith('TRP_BUS_CLOSED', bus.blobs());
    });

    it('refuses the verbs of queues, logs, keys and blobs that were opened before', async () => {
      const { bus } = bench;
      const [queue, log, keys, blobs] = await Promise.all([
        bus.workQueue('pool'),
        bus.log('jrn', 'run'),
        bus.keys('mem'),
        bus.blobs(),
      ]);
      await queue.add(1, { id: 'a' });
      const item = await pulled(queue);
      await bus.close();
      const calls: (() => Promise<unknown>)[] = [
        () => queue.add(1, { id: 'b' }),
        () => queue.pull(),
        () => queue.depth(),
        () => queue.deadLetters(),
        () => item.ack(),
        () => log.append(1),
        () => log.lastSeq(),
        () => log.purge(),
        () => log.read()[Symbol.asyncIterator]().next(),
        () => log.follow(() => undefined),
        () => keys.get('a'),
        () => keys.put('a', 1),
        () => keys.keys(),
        () => keys.history('a'),
        () => keys.watch('>', () => undefined),
        () => blobs.put(Buffer.from('x')),
        () => blobs.list(),
      ];
      for (const call of calls) await rejectsWith('TRP_BUS_CLOSED', call());
    });

    it('ends open requests and pulls', async () => {
      const { bus } = bench;
      bench.listen('silent');
      const queue = await bus.workQueue('pool');
      const asked = bus
        .request('silent', 1, { timeoutMs: 60_000 })
        .catch((error: unknown) => error);
      const pulling = queue.pull({ waitMs: 60_000 }).catch((error: unknown) => error);
      await bus.close();
      expect(await asked).toMatchObject({ code: 'TRP_BUS_CLOSED' });
      const end = await pulling;
      if (end !== undefined) expect(end).toMatchObject({ code: 'TRP_BUS_CLOSED' });
    });

    it('calls no handler, follower or watcher afterwards', async () => {
      const { bus } = bench;
      const [log, keys] = [await bus.log('jrn', 'run'), await bus.keys('mem')];
      let calls = 0;
      const count = (): void => void calls++;
      bus.subscribe('a', count);
      await log.follow(count);
      await keys.watch('>', count);
      await eventually('the watch is ready', () => calls === 1);
      await bus.close();
      const other = await bench.again().catch(() => undefined);
      const before = calls;
      if (other?.state === 'connected') {
        other.publish('a', 1);
        await (await other.log('jrn', 'run')).append(1);
        await (await other.keys('mem')).put('a', 1);
        await other.flush();
      }
      expect(calls).toBe(before);
    });

    it('closes once, however often it is asked', async () => {
      await Promise.all([bench.bus.close(), bench.bus.close()]);
      await bench.bus.close();
      expect(bench.bus.state).toBe('closed');
    });

    it('does not wait for ever for a handler that never ends', async () => {
      let begun = false;
      bench.bus.subscribe(
        'a',
        () => {
          begun = true;
          return new Promise<void>(() => undefined);
        },
        { sequential: true },
      );
      bench.bus.publish('a', 1);
      await eventually('it has begun', () => begun);
      await bench.bus.close();
      expect(bench.bus.state).toBe('closed');
    });
  });
}

function statusSuite(driver: BusUnderTest): void {
  describe(`${driver.name}: status`, () => {
    const bench = benchFor(driver);

    it('is connected until it is closed, and tells', async () => {
      const seen: BusStatus[] = [];
      bench.bus.onStatus((status) => void seen.push(status));
      expect([bench.bus.state, seen]).toEqual(['connected', []]);
      await bench.bus.close();
      expect(bench.bus.state).toBe('closed');
      expect(seen.map(({ state }) => state)).toEqual(['closed']);
      expect(seen[0]).toMatchObject({ uncertain: 0, detail: expect.stringMatching(/./) });
    });

    it('does not tell a listener that has left, and survives one that throws', async () => {
      let [left, stayed] = [0, 0];
      bench.bus.onStatus(() => {
        throw new Error('broken');
      });
      const leave = bench.bus.onStatus(() => void left++);
      bench.bus.onStatus(() => void stayed++);
      leave();
      await bench.bus.close();
      expect([left, stayed]).toEqual([0, 1]);
    });
  });
}

function namespaceSuite(driver: BusUnderTest): void {
  describe(`${driver.name}: namespaces`, () => {
    const bench = benchFor(driver);

    it('says which one it lives in', async () => {
      expect(bench.bus.ns).toMatch(/^t\d+-\d+$/);
      expect((await bench.elsewhere()).ns).not.toBe(bench.bus.ns);
    });

    it('keeps queues, logs, keys and blobs of two namespaces apart', async () => {
      const [here, there] = [bench.bus, await bench.elsewhere()];
      await (await here.workQueue('pool')).add('here', { id: 'a' });
      await (await here.log('jrn', 'run')).append('here');
      await (await here.keys('mem')).put('a', 'here');
      const { hash } = await (await here.blobs()).put(Buffer.from('here'));
      const queue = await there.workQueue('pool');
      const [log, keys] = [await there.log('jrn', 'run'), await there.keys('mem')];
      expect(await queue.pull()).toBeUndefined();
      expect(await queue.add('there', { id: 'a' })).toEqual({ duplicate: false });
      expect([await log.lastSeq(), await keys.keys()]).toEqual([0, []]);
      expect(await (await there.blobs()).get(hash)).toBeUndefined();
      expect(await (await there.blobs()).list()).toEqual([]);
      await log.append('there', { expectedSeq: 0 });
      await keys.create('a', 'there');
      await keys.purge('>');
      await log.purge();
      expect((await (await here.keys('mem')).get('a'))?.value).toBe('here');
      expect(await (await here.log('jrn', 'run')).lastSeq()).toBeGreaterThan(0);
      expect((await pulled(await here.workQueue('pool'))).payload).toBe('here');
    });
  });
}
