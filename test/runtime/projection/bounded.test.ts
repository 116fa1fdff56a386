import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EmbeddedBus } from '../../../src/bus/embedded/embedded-bus.ts';
import { createEmbeddedBus } from '../../../src/bus/embedded/embedded-bus.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { silentLogger } from '../../../src/core/log.ts';
import type { JournalRecord } from '../../../src/journal/record.ts';
import { RunMemory } from '../../../src/memory/run-memory.ts';
import { Replica } from '../../../src/memory/shared/replica.ts';
import { RunProjection } from '../../../src/runtime/projection/run-projection.ts';
import { eventually } from '../../support/eventually.ts';

/** A journal that grows, and the memory that follows from it. */
class Journal {
  readonly records: JournalRecord[] = [];
  readonly memory = new RunMemory();
  reads = 0;

  write(key: string, value: number): JournalRecord {
    const seq = this.records.length + 1;
    const head = { type: 'memory.committed', task: 't', agent: 'a', base: seq - 1 } as const;
    const changes = [{ key, value }];
    const record = { ...head, op: `o${seq}`, priority: 5, changes, seq, at: 0 };
    this.records.push(record);
    this.memory.apply(record);
    return record;
  }

  read(): Promise<readonly JournalRecord[]> {
    this.reads++;
    return Promise.resolve([...this.records]);
  }
}

describe('the projection of a run', () => {
  let root: EmbeddedBus;
  let bus: EmbeddedBus;
  const living: RunProjection[] = [];
  beforeEach(() => {
    root = createEmbeddedBus({ clock: systemClock, schedule: setImmediate });
    bus = root.peer();
  });
  afterEach(async () => {
    await Promise.all(living.splice(0).map((one) => one.close(0)));
    await root.close();
  });

  const begin = (journal: Journal, epoch = 1): RunProjection => {
    const projection = new RunProjection({
      busName: 'embedded',
      bus,
      run: 'r',
      epoch,
      clock: systemClock,
      logger: silentLogger,
      memory: () => journal.memory,
      records: () => journal.read(),
    });
    living.push(projection);
    return projection;
  };

  /** What a copy of the memory made from the log holds. */
  const copied = async (): Promise<Replica> => {
    const replica = new Replica({});
    for await (const entry of (await root.log('jrn', 'r')).read()) replica.take(entry);
    return replica;
  };

  const isComplete = async ({ memory, records }: Journal): Promise<boolean> => {
    const replica = await copied();
    return replica.recordSeq === records.length && replica.memory.hash() === memory.hash();
  };

  it('reads the journal again when more happened than it holds while the bus was away', async () => {
    const journal = new Journal();
    const projection = begin(journal);
    projection.recorded(journal.write('k0', 0));
    await eventually('the first is shown', () => isComplete(journal));
    bus.disconnect();
    for (let n = 1; n <= 20_000; n++) projection.recorded(journal.write(`k${n % 50}`, n));
    expect(journal.reads).toBe(0);
    bus.reconnect();
    await eventually('all is shown', () => isComplete(journal));
    expect(journal.reads).toBeGreaterThan(0);
    const bucket = await root.keys('mem');
    await eventually('the keys are written', async () => {
      return (await bucket.get('r.k49'))?.value === journal.memory.view().get('k49');
    });
    expect((await bucket.keys('r.>')).length).toBe(50);
  });

  it('goes on where an earlier owner of the run has stopped, and that one writes no more', async () => {
    const journal = new Journal();
    const first = begin(journal, 1);
    for (let n = 0; n < 10; n++) first.recorded(journal.write(`k${n}`, n));
    await first.settled();
    const second = begin(journal, 2);
    second.catchUp();
    second.recorded(journal.write('k10', 10));
    await second.settled();
    first.recorded(journal.write('k11', 11));
    await first.settled();
    second.recorded(journal.records[11] as JournalRecord);
    await second.settled();
    expect(await isComplete(journal)).toBe(true);
    const epochs: unknown[] = [];
    for await (const { payload } of (await root.log('jrn', 'r')).read())
      epochs.push((payload as { epoch: number }).epoch);
    expect(epochs).toEqual([1, 2, 2]);
  });

  it('shows at most five values of progress a second, and the last one', async () => {
    const journal = new Journal();
    const projection = begin(journal);
    const bucket = await root.keys('mem');
    const seen: number[] = [];
    await bucket.watch('r.parallel.progress.>', (event) => {
      if (event.type === 'entry') seen.push((event.value as { step: number }).step);
    });
    const begun = performance.now();
    for (let step = 1; step <= 100; step++) {
      projection.progressed('t', { step });
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await eventually('the last one is shown', () => seen.at(-1) === 100);
    const seconds = (performance.now() - begun) / 1000;
    expect(seen.length).toBeLessThanOrEqual(Math.floor(seconds / 0.2) + 1);
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
  });
});
