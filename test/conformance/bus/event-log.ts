import { describe, expect, it } from 'vitest';
import { logKinds } from '../../../src/bus/event-log.ts';
import type { EventLog, LogEntry, ReadOptions } from '../../../src/bus/event-log.ts';
import { eventually } from '../../support/eventually.ts';
import { benchFor, rejectsWith, upTo } from './under-test.ts';
import type { BusUnderTest } from './under-test.ts';

/** Append-only logs. */
export function eventLogSuite(driver: BusUnderTest): void {
  appendSuite(driver);
  readSuite(driver);
  followSuite(driver);
  namesSuite(driver);
}

async function entriesOf(log: EventLog, options?: ReadOptions): Promise<LogEntry[]> {
  const entries: LogEntry[] = [];
  for await (const entry of log.read(options)) entries.push(entry);
  return entries;
}

async function payloadsOf(log: EventLog, options?: ReadOptions): Promise<unknown[]> {
  return (await entriesOf(log, options)).map(({ payload }) => payload);
}

function appendSuite(driver: BusUnderTest): void {
  describe(`${driver.name}: appending to logs`, () => {
    const bench = benchFor(driver);

    it('gives growing sequence numbers and reads entries in their order', async () => {
      const log = await bench.bus.log('jrn', 'run');
      expect(log.name).toBe('run');
      const seqs: number[] = [];
      for (const n of upTo(20)) seqs.push(await log.append({ n }));
      expect(seqs).toEqual([...new Set(seqs)].sort((a, b) => a - b));
      expect(seqs[0]).toBeGreaterThan(0);
      const entries = await entriesOf(log);
      expect(entries.map(({ seq }) => seq)).toEqual(seqs);
      expect(entries.map(({ payload }) => payload)).toEqual(upTo(20).map((n) => ({ n })));
      expect(await log.lastSeq()).toBe(seqs.at(-1));
    });

    it('keeps the order of appends that do not wait for each other', async () => {
      const log = await bench.bus.log('jrn', 'run');
      const seqs = await Promise.all(upTo(50).map((n) => log.append(n)));
      expect(seqs).toEqual([...seqs].sort((a, b) => a - b));
      expect(await payloadsOf(log)).toEqual(upTo(50));
    });

    it('keeps headers and the operation id with an entry', async () => {
      const log = await bench.bus.log('jrn', 'run');
      await log.append(1, { op: 'run/täsk [1]', headers: { H: 'x' } });
      await log.append(2);
      await log.append(3, { op: '', expectedSeq: await log.lastSeq() });
      const entries = await entriesOf(log);
      expect(entries.map(({ op, headers }) => ({ op, headers }))).toEqual([
        { op: 'run/täsk [1]', headers: { H: 'x' } },
        { op: '', headers: {} },
        { op: '', headers: {} },
      ]);
    });

    it('appends when the log ends where it is expected to', async () => {
      const log = await bench.bus.log('jrn', 'run');
      const first = await log.append('a', { expectedSeq: 0 });
      const second = await log.append('b', { expectedSeq: first });
      await log.append('c', { expectedSeq: second });
      expect(await payloadsOf(log)).toEqual(['a', 'b', 'c']);
    });

    it('refuses to append when the log has moved on, and appends nothing', async () => {
      const log = await bench.bus.log('jrn', 'run');
      const first = await log.append('a');
      await rejectsWith('TRP_BUS_CONFLICT', log.append('x', { expectedSeq: 0 }));
      const second = await log.append('b');
      await rejectsWith('TRP_BUS_CONFLICT', log.append('x', { expectedSeq: first, op: 'other' }));
      await rejectsWith('TRP_BUS_CONFLICT', log.append('x', { expectedSeq: second + 1 }));
      expect(await payloadsOf(log)).toEqual(['a', 'b']);
      expect(await log.lastSeq()).toBe(second);
    });

    it('lets exactly one of many appends at one place win', async () => {
      const logs = [
        await bench.bus.log('jrn', 'run'),
        await (await bench.again()).log('jrn', 'run'),
      ] as const;
      const logOf = (n: number): EventLog => logs[n % 2 === 0 ? 0 : 1];
      const ends = await Promise.allSettled(
        upTo(10).map((n) => logOf(n).append(n, { expectedSeq: 0, op: `op ${n}` })),
      );
      const lost = ends.flatMap((end) =>
        end.status === 'rejected' ? [end.reason as unknown] : [],
      );
      expect(lost).toHaveLength(9);
      for (const reason of lost) expect(reason).toMatchObject({ code: 'TRP_BUS_CONFLICT' });
      const winner = ends.findIndex(({ status }) => status === 'fulfilled');
      expect(await payloadsOf(logs[0])).toEqual([winner]);
    });

    it('recognises the repetition of an append by its operation', async () => {
      const log = await bench.bus.log('jrn', 'run');
      const first = await log.append('a', { expectedSeq: 0, op: 'one' });
      expect(await log.append('a', { expectedSeq: 0, op: 'one' })).toBe(first);
      const far = await (await bench.again()).log('jrn', 'run');
      expect(await far.append('a', { expectedSeq: 0, op: 'one' })).toBe(first);
      expect(await payloadsOf(log)).toEqual(['a']);
    });

    it('recognises a repetition also when others have appended meanwhile', async () => {
      const log = await bench.bus.log('jrn', 'run');
      const zero = await log.append('z');
      const first = await log.append('a', { expectedSeq: zero, op: 'one' });
      await log.append('b', { expectedSeq: first, op: 'two' });
      expect(await log.append('a', { expectedSeq: zero, op: 'one' })).toBe(first);
      expect(await payloadsOf(log)).toEqual(['z', 'a', 'b']);
    });

    it('appends the same operation twice when it is said to follow what is there', async () => {
      const log = await bench.bus.log('jrn', 'run');
      const first = await log.append('a', { expectedSeq: 0, op: 'one' });
      expect(await log.append('a', { expectedSeq: first, op: 'one' })).toBeGreaterThan(first);
      expect(await payloadsOf(log)).toEqual(['a', 'a']);
    });

    it('keeps many logs of one kind, and the kinds, apart', async () => {
      const { bus } = bench;
      const names = [...upTo(30).map(String), 'a.b', 'a', 'b', 'spaced ünï', '*', '>'];
      const logs = await Promise.all(names.map((name) => bus.log('jrn', name)));
      for (const turn of [0, 1])
        await Promise.all(logs.map((log, index) => log.append(`${turn} ${names[index]}`)));
      for (const [index, log] of logs.entries()) {
        expect(log.name).toBe(names[index]);
        expect(await payloadsOf(log)).toEqual([`0 ${names[index]}`, `1 ${names[index]}`]);
      }
      for (const kind of logKinds) {
        const log = await bus.log(kind, 'own kind');
        await log.append(kind, { expectedSeq: 0 });
        expect(await payloadsOf(log)).toEqual([kind]);
      }
    });

    it('empties a log whose sequence numbers go on, and no other log', async () => {
      const [log, other] = [await bench.bus.log('jrn', 'run'), await bench.bus.log('jrn', 'other')];
      const before = [await log.append('a'), await log.append('b')];
      await other.append('x');
      await log.purge();
      expect([await payloadsOf(log), await log.lastSeq()]).toEqual([[], 0]);
      const after = await log.append('c', { expectedSeq: 0 });
      expect(after).toBeGreaterThan(before[1] ?? 0);
      expect(await payloadsOf(log)).toEqual(['c']);
      expect(await payloadsOf(other)).toEqual(['x']);
    });

    it('empties a log that is empty', async () => {
      const log = await bench.bus.log('res', 'never');
      await log.purge();
      expect([await log.lastSeq(), await payloadsOf(log)]).toEqual([0, []]);
    });
  });
}

function readSuite(driver: BusUnderTest): void {
  describe(`${driver.name}: reading logs`, () => {
    const bench = benchFor(driver);

    it('reads nothing from an empty log', async () => {
      const log = await bench.bus.log('jrn', 'run');
      expect([await payloadsOf(log), await log.lastSeq()]).toEqual([[], 0]);
    });

    it('reads from a sequence number on', async () => {
      const log = await bench.bus.log('jrn', 'run');
      const seqs: number[] = [];
      for (const n of upTo(5)) seqs.push(await log.append(n));
      expect(await payloadsOf(log, { from: seqs[2] ?? 0 })).toEqual([2, 3, 4]);
      expect(await payloadsOf(log, { from: 0 })).toEqual(upTo(5));
      expect(await payloadsOf(log, { from: (seqs[4] ?? 0) + 1 })).toEqual([]);
    });

    it('reads thousands of entries, in order and without holes', async () => {
      const log = await bench.bus.log('jrn', 'run');
      await Promise.all(upTo(2_000).map((n) => log.append(n)));
      expect(await payloadsOf(log)).toEqual(upTo(2_000));
    });

    it('ends at what was there when the reading began', async () => {
      const log = await bench.bus.log('jrn', 'run');
      await Promise.all(upTo(10).map((n) => log.append(n)));
      const read: unknown[] = [];
      for await (const { payload } of log.read()) {
        read.push(payload);
        await log.append('more');
      }
      expect(read).toEqual(upTo(10));
    });

    it('lets a reader stop early, and several read at once', async () => {
      const log = await bench.bus.log('jrn', 'run');
      await Promise.all(upTo(100).map((n) => log.append(n)));
      for await (const { payload } of log.read()) if (payload === 3) break;
      const both = await Promise.all([payloadsOf(log), payloadsOf(log, { from: 1 })]);
      expect(both).toEqual([upTo(100), upTo(100)]);
    });

    it('reads the same through another door', async () => {
      const log = await bench.bus.log('jrn', 'run');
      for (const n of upTo(5)) await log.append({ n }, { op: String(n) });
      const far = await (await bench.again()).log('jrn', 'run');
      expect(await entriesOf(far)).toEqual(await entriesOf(log));
    });
  });
}

function followSuite(driver: BusUnderTest): void {
  describe(`${driver.name}: following logs`, () => {
    const bench = benchFor(driver);

    it('hands over what is there, then says so once, then what comes', async () => {
      const log = await bench.bus.log('jrn', 'run');
      for (const n of upTo(3)) await log.append(n);
      const seen: unknown[] = [];
      const following = await log.follow(({ payload }) => void seen.push(payload), {
        caughtUp: () => void seen.push('caught up'),
      });
      await eventually('it caught up', () => seen.includes('caught up'));
      const far = await (await bench.again()).log('jrn', 'run');
      for (const n of [3, 4]) await far.append(n);
      await eventually('the new ones come', () => seen.length === 6);
      expect(seen).toEqual([0, 1, 2, 'caught up', 3, 4]);
      following.stop();
    });

    it('says that it caught up with an empty log', async () => {
      const log = await bench.bus.log('jrn', 'empty');
      await (await bench.bus.log('jrn', 'full')).append(1);
      const seen: unknown[] = [];
      await log.follow(({ payload }) => void seen.push(payload), {
        caughtUp: () => void seen.push('caught up'),
      });
      await eventually('it caught up', () => seen.length > 0);
      await log.append('first');
      await eventually('the first comes', () => seen.length === 2);
      expect(seen).toEqual(['caught up', 'first']);
    });

    it('follows from a sequence number on', async () => {
      const log = await bench.bus.log('jrn', 'run');
      const seqs: number[] = [];
      for (const n of upTo(5)) seqs.push(await log.append(n));
      const [seen, none]: unknown[][] = [[], []];
      await log.follow(({ payload }) => void seen?.push(payload), {
        from: seqs[3] ?? 0,
        caughtUp: () => void seen?.push('caught up'),
      });
      await log.follow(({ payload }) => void none?.push(payload), {
        from: (seqs[4] ?? 0) + 1,
        caughtUp: () => void none?.push('caught up'),
      });
      await eventually('both caught up', () => seen?.length === 3 && none?.length === 1);
      await log.append(5);
      await eventually('both go on', () => seen?.length === 4 && none?.length === 2);
      expect([seen, none]).toEqual([
        [3, 4, 'caught up', 5],
        ['caught up', 5],
      ]);
    });

    it('hands over each entry once and in order while others append', async () => {
      const log = await bench.bus.log('jrn', 'run');
      const far = await (await bench.again()).log('jrn', 'run');
      const appending = Promise.all(upTo(300).map((n) => far.append(n)));
      const seqs: number[] = [];
      await log.follow(({ seq }) => void seqs.push(seq));
      const all = await appending;
      await eventually('all have come', () => seqs.length >= 300);
      expect(seqs).toEqual(all.sort((a, b) => a - b));
    });

    it('gives the same entries as reading', async () => {
      const log = await bench.bus.log('jrn', 'run');
      const seen: LogEntry[] = [];
      await log.follow((entry) => void seen.push(entry));
      for (const n of upTo(5))
        await log.append({ n }, { op: `op ${n}`, headers: { N: String(n) } });
      await eventually('all have come', () => seen.length === 5);
      expect(seen).toEqual(await entriesOf(log));
    });

    it('is not called after it was stopped', async () => {
      const log = await bench.bus.log('jrn', 'run');
      const [stopped, going]: unknown[][] = [[], []];
      const following = await log.follow(({ payload }) => void stopped?.push(payload));
      await log.follow(({ payload }) => void going?.push(payload));
      await log.append(1);
      await eventually('both heard', () => stopped?.length === 1 && going?.length === 1);
      following.stop();
      following.stop();
      await log.append(2);
      await eventually('the other hears on', () => going?.length === 2);
      await bench.settled();
      expect(stopped).toEqual([1]);
    });

    it('stops for a handler that stops it, in the midst of what is there', async () => {
      const log = await bench.bus.log('jrn', 'run');
      await Promise.all(upTo(50).map((n) => log.append(n)));
      const seen: unknown[] = [];
      const ready = log.follow(({ payload }) => {
        seen.push(payload);
        void ready.then((following) => following.stop());
      });
      await ready;
      const control: unknown[] = [];
      await log.follow(({ payload }) => void control.push(payload));
      await eventually('another has read all', () => control.length === 50);
      const soFar = seen.length;
      await log.append('more');
      await eventually('another goes on', () => control.length === 51);
      await bench.settled();
      expect(seen).toHaveLength(soFar);
    });

    it('goes on when the handler throws, and reports it', async () => {
      const log = await bench.bus.log('jrn', 'run');
      const seen: unknown[] = [];
      await log.follow(({ payload }) => {
        seen.push(payload);
        throw new Error('broken');
      });
      for (const n of upTo(3)) await log.append(n);
      await eventually('all have come', () => seen.length === 3);
      await eventually('all faults are reported', () => bench.errors.length === 3);
    });

    it('goes on behind a purge', async () => {
      const log = await bench.bus.log('jrn', 'run');
      const seen: unknown[] = [];
      await log.follow(({ payload }) => void seen.push(payload));
      await log.append('a');
      await eventually('the first came', () => seen.length === 1);
      await log.purge();
      await log.append('b');
      await eventually('the next came', () => seen.length === 2);
      expect(seen).toEqual(['a', 'b']);
    });
  });
}

function namesSuite(driver: BusUnderTest): void {
  describe(`${driver.name}: names of logs`, () => {
    const bench = benchFor(driver);

    it('names the logs of a kind that hold an entry, and no others', async () => {
      expect(await bench.bus.logs('jrn')).toEqual([]);
      for (const name of ['run-b', 'run a.1', 'run-c', 'gone'])
        await (await bench.bus.log('jrn', name)).append(name);
      await (await bench.bus.log('jrn', 'empty')).lastSeq();
      await (await bench.bus.log('cfl', 'other kind')).append(1);
      await (await bench.bus.log('jrn', 'gone')).purge();
      expect(await bench.bus.logs('jrn')).toEqual(['run a.1', 'run-b', 'run-c']);
      expect(await (await bench.again()).logs('cfl')).toEqual(['other kind']);
      expect(await (await bench.elsewhere()).logs('jrn')).toEqual([]);
    });
  });
}
