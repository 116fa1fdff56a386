import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TroupeError } from '../../src/core/errors.ts';
import type { JournalStore, OwnedRun } from '../../src/journal/journal.ts';
import type { JournalRecord } from '../../src/journal/record.ts';

/** A store under test: `open` gives an empty one. */
export interface StoreUnderTest {
  open(): Promise<JournalStore>;
}

/** A small record with a number. */
export function recordOf(seq: number, task = `task-${seq}`): JournalRecord {
  return {
    seq,
    at: 1_700_000_000_000 + seq,
    type: 'task.succeeded',
    task,
    attempt: 1,
    output: { n: seq },
  };
}

/** Records `from` to `to`, both included. */
export function recordsOf(from: number, to: number): JournalRecord[] {
  return Array.from({ length: to - from + 1 }, (_, index) => recordOf(from + index));
}

/** Appends and waits until it is durable; rejects with the store's error. */
export function appended(run: OwnedRun, records: readonly JournalRecord[]): Promise<void> {
  return new Promise((resolve, reject) => {
    run.append(records, (error?: TroupeError) => (error ? reject(error) : resolve()));
  });
}

/** What every journal store keeps. */
export function journalSuite(name: string, driver: StoreUnderTest): void {
  describe(`${name} keeps the contract of a journal store`, () => {
    let store: JournalStore;

    beforeEach(async () => {
      store = await driver.open();
    });
    afterEach(() => store.close());

    it('reads back what was appended, in order and with all its values', async () => {
      const run = await store.create('run-1');
      const value = {
        text: 'é\u0000',
        list: [1, -2.5, null, true],
        big: 2 ** 53 - 1,
        bytes: Uint8Array.of(0, 255),
      };
      const records: JournalRecord[] = [
        recordOf(1),
        { seq: 2, at: 3, type: 'step.done', task: 't', iteration: 1, name: 's', value },
      ];
      await appended(run, records);
      await appended(run, recordsOf(3, 5));
      expect(await store.read('run-1')).toEqual([...records, ...recordsOf(3, 5)]);
    });

    it('answers every append once, in the order of the calls', async () => {
      const run = await store.create('run-1');
      const answers: number[] = [];
      for (let seq = 1; seq <= 500; seq++)
        run.append([recordOf(seq)], (error) => answers.push(error ? -seq : seq));
      await appended(run, [recordOf(501)]);
      expect(answers).toEqual(Array.from({ length: 500 }, (_, index) => index + 1));
      expect(await store.read('run-1')).toEqual(recordsOf(1, 501));
    });

    it('answers an append of nothing after those before it', async () => {
      const run = await store.create('run-1');
      const answers: string[] = [];
      run.append([recordOf(1)], () => answers.push('first'));
      await new Promise<void>((resolve) =>
        run.append([], () => (answers.push('empty'), resolve())),
      );
      expect(answers).toEqual(['first', 'empty']);
    });

    it('keeps runs apart', async () => {
      const runs = await Promise.all(['a', 'b', 'c'].map((id) => store.create(id)));
      await Promise.all(
        runs.flatMap((run, index) =>
          recordsOf(1, 20 + index).map((record) => appended(run, [record])),
        ),
      );
      const read = await Promise.all(['a', 'b', 'c'].map((id) => store.read(id)));
      expect(read).toEqual([recordsOf(1, 20), recordsOf(1, 21), recordsOf(1, 22)]);
    });

    it('starts a new run empty, in epoch 1', async () => {
      const run = await store.create('run-1');
      expect([run.run, run.epoch, run.records]).toEqual(['run-1', 1, []]);
      expect(await store.read('run-1')).toEqual([]);
    });

    it.each([
      '',
      '../x',
      'a/b',
      '.',
      '..',
      '.hidden',
      'a b',
      'a\u0000',
      '-x',
      'x'.repeat(200),
      'a.b',
    ])('refuses %j for the id of a run', async (id) => {
      await expect(store.create(id)).rejects.toMatchObject({ code: 'TRP_OPTION_INVALID' });
      await expect(store.read(id)).rejects.toMatchObject({ code: 'TRP_RUN_NOT_FOUND' });
      await expect(store.adopt(id)).rejects.toMatchObject({ code: 'TRP_RUN_NOT_FOUND' });
    });

    it('refuses to create a run twice', async () => {
      await appended(await store.create('run-1'), [recordOf(1)]);
      await expect(store.create('run-1')).rejects.toMatchObject({ code: 'TRP_RUN_OWNED' });
      expect(await store.read('run-1')).toEqual([recordOf(1)]);
    });

    it('finds no run that was never created', async () => {
      await expect(store.read('nothing')).rejects.toMatchObject({ code: 'TRP_RUN_NOT_FOUND' });
      await expect(store.adopt('nothing')).rejects.toMatchObject({ code: 'TRP_RUN_NOT_FOUND' });
    });

    it('hands a released run over with its records, in the next epoch', async () => {
      const first = await store.create('run-1');
      await appended(first, recordsOf(1, 3));
      await first.release();
      const second = await store.adopt('run-1');
      expect([second.epoch, second.records]).toEqual([2, recordsOf(1, 3)]);
      await appended(second, recordsOf(4, 5));
      await second.release();
      expect((await store.adopt('run-1')).records).toEqual(recordsOf(1, 5));
    });

    it('waits on release for what was appended', async () => {
      const run = await store.create('run-1');
      const answers: unknown[] = [];
      run.append(recordsOf(1, 9), (error) => answers.push(error));
      await run.release();
      expect(answers).toEqual([undefined]);
    });

    it('refuses to write through a handle that was released or superseded', async () => {
      const first = await store.create('run-1');
      await appended(first, [recordOf(1)]);
      await first.release();
      await expect(appended(first, [recordOf(2)])).rejects.toMatchObject({
        code: 'TRP_JOURNAL_FENCED',
      });
      const second = await store.adopt('run-1');
      const third = await store.adopt('run-1');
      await expect(appended(second, [recordOf(2)])).rejects.toMatchObject({
        code: 'TRP_JOURNAL_FENCED',
      });
      await appended(third, [recordOf(2)]);
      await second.release();
      await appended(third, [recordOf(3)]);
      expect(await store.read('run-1')).toEqual(recordsOf(1, 3));
    });

    it('loses nothing that an older handle of this process still had to write', async () => {
      const first = await store.create('run-1');
      const written = appended(first, recordsOf(1, 4));
      const second = await store.adopt('run-1');
      await written;
      expect(second.records).toEqual(recordsOf(1, 4));
    });

    it('lists runs oldest first, with their owner while they have one', async () => {
      const runs = [];
      for (const id of ['z', 'a', 'm']) runs.push(await store.create(id));
      await runs[1]?.release();
      expect(await store.list()).toEqual([
        { run: 'z', owner: store.node },
        { run: 'a', owner: undefined },
        { run: 'm', owner: store.node },
      ]);
    });

    it('lists nothing at first', async () => {
      expect(await store.list()).toEqual([]);
    });

    it('gives up every ownership on close and takes no new one', async () => {
      const run = await store.create('run-1');
      const written = appended(run, [recordOf(1)]);
      await store.close();
      await written;
      expect(await store.list()).toEqual([{ run: 'run-1', owner: undefined }]);
      await expect(appended(run, [recordOf(2)])).rejects.toBeDefined();
      await expect(store.create('run-2')).rejects.toMatchObject({ code: 'TRP_CLOSED' });
    });
  });
}
