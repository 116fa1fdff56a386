import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { openFileStore } from '../../src/journal/stores/file-store/file-store.ts';
import { openSegmentFile } from '../../src/journal/stores/file-store/segment-file.ts';
import { joinEpochs } from '../../src/journal/stores/file-store/run-records.ts';
import type { JournalRecord } from '../../src/journal/record.ts';
import { appended, journalSuite, recordOf, recordsOf } from '../conformance/journal-suite.ts';
import { fileStore, temporaryFolder } from './support/folder.ts';

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

for (const level of ['process', 'power'] as const) {
  journalSuite(`the file store at level ${level}`, {
    open: async () => {
      const dataDir = await mkdtemp(join(tmpdir(), 'troupe-journal-'));
      folders.push(dataDir);
      let time = 0;
      return openFileStore({ dataDir, level, now: () => time++ });
    },
  });
}

/** Makes a node look as if its process had died. */
async function bury(dataDir: string, node: string): Promise<void> {
  const owner = { format: 1, pid: 2 ** 22 + 1, start: '1', boot: 'another' };
  await writeFile(join(dataDir, 'nodes', node, 'owner.json'), `${JSON.stringify(owner)}\n`);
}

describe('the file store', () => {
  it('writes nothing before a run is created', async () => {
    const dataDir = await temporaryFolder();
    const store = await fileStore(join(dataDir, 'data'));
    expect(await store.list()).toEqual([]);
    await store.close();
    expect(await readdir(dataDir)).toEqual([]);
  });

  it('names the folder where the system lets none be made, instead of trying for ever', async () => {
    const store = await fileStore('/proc/troupe-none');
    await expect(store.create('run-1')).rejects.toMatchObject({
      code: 'TRP_JOURNAL_IO',
      message: expect.stringContaining('/proc/troupe-none'),
    });
  });

  it('makes the folders above the data folder too, for the owner only', async () => {
    const above = join(await temporaryFolder(), 'a');
    await (await fileStore(join(above, 'b', 'c'))).create('run-1');
    expect((await stat(above)).mode & 0o777).toBe(0o700);
  });

  it.each(['afile', 'afile/below'])(
    'says what is a file where %s is to be a folder',
    async (name) => {
      const folder = await temporaryFolder();
      await writeFile(join(folder, 'afile'), '');
      const store = await fileStore(join(folder, name));
      const error = {
        code: 'TRP_JOURNAL_IO',
        message: `${JSON.stringify(join(folder, 'afile'))} is a file, not a folder`,
      };
      await expect(store.create('run-1')).rejects.toMatchObject(error);
      await expect(store.list()).rejects.toMatchObject(error);
    },
  );

  it('keeps files and folders from everybody else', async () => {
    const dataDir = join(await temporaryFolder(), 'data');
    const store = await fileStore(dataDir);
    const run = await store.create('run-1');
    await appended(run, [recordOf(1)]);
    await run.release();
    for (const entry of await readdir(dataDir, { recursive: true, withFileTypes: true })) {
      const { mode } = await stat(join(entry.parentPath, entry.name));
      expect(mode & 0o777, entry.name).toBe(entry.isDirectory() ? 0o700 : 0o600);
    }
  });

  it('goes on in a new segment when one is full, and reads them all', async () => {
    const dataDir = await temporaryFolder();
    const store = await fileStore(dataDir, { segmentBytes: 400, node: 'n' });
    const run = await store.create('run-1');
    for (const record of recordsOf(1, 40)) await appended(run, [record]);
    const segments = (await readdir(join(dataDir, 'nodes', 'n'))).filter((name) =>
      name.endsWith('.log'),
    );
    expect(segments.length).toBeGreaterThan(5);
    expect(await store.read('run-1')).toEqual(recordsOf(1, 40));
  });

  it('writes a batch with more records than a call takes arguments', async () => {
    const store = await fileStore(await temporaryFolder());
    const run = await store.create('run-1');
    await Promise.all([
      appended(run, recordsOf(1, 150_000)),
      appended(run, recordsOf(150_001, 300_000)),
    ]);
    expect((await store.read('run-1')).length).toBe(300_000);
  });

  it('needs at most 300 bytes for a small task', async () => {
    const dataDir = await temporaryFolder();
    const store = await fileStore(dataDir, { node: 'n' });
    const run = await store.create('run-1h2k3m4n5p6q7r8');
    const size = async (): Promise<number> =>
      (await stat(join(dataDir, 'nodes', 'n', 'journal-000001.log'))).size;
    const before = await size();
    const at = 1_795_000_000_000;
    await appended(run, [
      { seq: 1_000, at, type: 'task.started', task: 'requirements', attempt: 1, iteration: 1 },
    ]);
    await appended(run, [
      {
        seq: 1_001,
        at,
        type: 'task.succeeded',
        task: 'requirements',
        attempt: 1,
        output: { ok: true },
      },
    ]);
    expect((await size()) - before).toBeLessThanOrEqual(300);
  });

  it('writes what one turn appends by one write, and one sync at level power', async () => {
    const calls: string[] = [];
    const store = await fileStore(await temporaryFolder(), {
      level: 'power',
      schedule: (fn) => void setImmediate(fn),
      openSegment: async () => ({
        write: async () => void calls.push('write'),
        sync: async () => void calls.push('sync'),
        cutTo: async () => undefined,
        close: async () => undefined,
      }),
    });
    const runs = await Promise.all([store.create('a'), store.create('b')]);
    calls.length = 0;
    await Promise.all(
      runs.flatMap((run) => recordsOf(1, 16).map((record) => appended(run, [record]))),
    );
    expect(calls).toEqual(['write', 'sync']);
  });

  it('acknowledges nothing before the sync, and gathers what is appended meanwhile into the next group', async () => {
    const calls: string[] = [];
    let finishSync = (): void => undefined;
    let held = false;
    const store = await fileStore(await temporaryFolder(), {
      level: 'power',
      openSegment: async () => ({
        write: async () => void calls.push('write'),
        sync: () => (held ? new Promise((resolve) => (finishSync = resolve)) : Promise.resolve()),
        cutTo: async () => undefined,
        close: async () => undefined,
      }),
    });
    const run = await store.create('a');
    held = true;
    calls.length = 0;
    let acknowledged = false;
    const first = appended(run, [recordOf(1)]).then(() => (acknowledged = true));
    while (calls.length === 0) await new Promise((resolve) => setImmediate(resolve));
    const rest = recordsOf(2, 50).map((record) => appended(run, [record]));
    await new Promise((resolve) => setImmediate(resolve));
    expect(acknowledged).toBe(false);
    held = false;
    finishSync();
    await Promise.all([first, ...rest]);
    expect(calls).toEqual(['write', 'write']);
  });

  it('waits, when this process takes its own run again, for what the older handle still writes', async () => {
    let written = 0;
    let finishWrite = (): void => undefined;
    const store = await fileStore(await temporaryFolder(), {
      openSegment: async (path) => {
        const file = await openSegmentFile(path);
        return {
          ...file,
          write: async (bytes, position) => {
            if (written++ === 1) await new Promise<void>((resolve) => (finishWrite = resolve));
            await file.write(bytes, position);
          },
        };
      },
    });
    const first = await store.create('a');
    const acknowledged = appended(first, recordsOf(1, 3));
    const adopting = store.adopt('a');
    let adopted = false;
    void adopting.then(() => (adopted = true));
    while (written < 2) await new Promise((resolve) => setImmediate(resolve));
    for (let turn = 0; turn < 200; turn++) await store.read('a');
    expect(adopted).toBe(false);
    finishWrite();
    await acknowledged;
    expect((await adopting).records).toEqual(recordsOf(1, 3));
  });

  it('surfaces what an acknowledgement throws, and answers the others', async () => {
    const store = await fileStore(await temporaryFolder());
    const run = await store.create('a');
    const listeners = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    onTestFinished(() =>
      listeners.forEach((listener) => void process.on('uncaughtException', listener)),
    );
    const uncaught = new Promise((resolve) => process.once('uncaughtException', resolve));
    run.append([recordOf(1)], () => {
      throw new Error('a fault of the caller');
    });
    await appended(run, [recordOf(2)]);
    expect(await uncaught).toMatchObject({ message: 'a fault of the caller' });
  });
});

describe('two processes on one data folder', () => {
  it('see each other’s runs and cannot take them', async () => {
    const dataDir = await temporaryFolder();
    const [one, two] = [
      await fileStore(dataDir, { node: 'one' }),
      await fileStore(dataDir, { node: 'two' }),
    ];
    const run = await one.create('run-1');
    await appended(run, recordsOf(1, 3));
    expect(await two.read('run-1')).toEqual(recordsOf(1, 3));
    expect(await two.list()).toEqual([{ run: 'run-1', owner: 'one' }]);
    await expect(two.adopt('run-1')).rejects.toMatchObject({ code: 'TRP_RUN_OWNED' });
    await expect(two.create('run-1')).rejects.toMatchObject({ code: 'TRP_RUN_OWNED' });
  });

  it('hand a released run over, back and forth', async () => {
    const dataDir = await temporaryFolder();
    const [one, two] = [await fileStore(dataDir), await fileStore(dataDir)];
    let run = await one.create('run-1');
    for (let round = 0; round < 6; round++) {
      await appended(run, [recordOf(round + 1)]);
      await run.release();
      run = await (round % 2 === 0 ? two : one).adopt('run-1');
      expect(run.records).toEqual(recordsOf(1, round + 1));
    }
    expect(run.epoch).toBe(7);
  });

  it('let exactly one of many take a dead node’s run', async () => {
    const dataDir = await temporaryFolder();
    const dead = await fileStore(dataDir, { node: 'dead' });
    await appended(await dead.create('run-1'), recordsOf(1, 5));
    await bury(dataDir, 'dead');
    const heirs = await Promise.all(Array.from({ length: 8 }, () => fileStore(dataDir)));
    const outcomes = await Promise.allSettled(heirs.map((heir) => heir.adopt('run-1')));
    const won = outcomes.filter((outcome) => outcome.status === 'fulfilled');
    expect(won.map(({ value }) => [value.epoch, value.records])).toEqual([[2, recordsOf(1, 5)]]);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected')
        expect(outcome.reason).toMatchObject({ code: 'TRP_RUN_OWNED' });
    }
  });

  it('fence an owner that was taken for dead: its write is refused and does not count', async () => {
    const dataDir = await temporaryFolder();
    const [slept, heir] = [await fileStore(dataDir, { node: 'slept' }), await fileStore(dataDir)];
    const old = await slept.create('run-1');
    const other = await slept.create('run-2');
    await appended(old, recordsOf(1, 3));
    await bury(dataDir, 'slept');
    const taken = await heir.adopt('run-1');
    await expect(appended(old, [recordOf(4, 'zombie')])).rejects.toMatchObject({
      code: 'TRP_JOURNAL_FENCED',
    });
    await appended(other, [recordOf(1)]);
    await appended(taken, [recordOf(4, 'rightful')]);
    expect(await heir.read('run-1')).toEqual([...recordsOf(1, 3), recordOf(4, 'rightful')]);
    expect(await heir.read('run-2')).toEqual([recordOf(1)]);
  });

  it('treat an epoch that was never finished as owned by nobody', async () => {
    const dataDir = await temporaryFolder();
    const one = await fileStore(dataDir);
    const run = await one.create('run-1');
    await appended(run, recordsOf(1, 2));
    await run.release();
    await writeFile(join(dataDir, 'runs', 'run-1', 'epoch-000002.json'), '{"no');
    const adopted = await (await fileStore(dataDir)).adopt('run-1');
    expect([adopted.epoch, adopted.records]).toEqual([3, recordsOf(1, 2)]);
  });

  it('create a run whose folder a crash left empty', async () => {
    const dataDir = await temporaryFolder();
    await mkdir(join(dataDir, 'runs', 'run-1'), { recursive: true });
    const store = await fileStore(dataDir);
    expect(await store.list()).toEqual([]);
    expect((await store.create('run-1')).epoch).toBe(1);
  });
});

describe('joining epochs', () => {
  const numbered = (epoch: string, from: number, to: number): JournalRecord[] =>
    Array.from({ length: to - from + 1 }, (_, index) => recordOf(from + index, epoch));

  it('drops what an earlier owner wrote from the first number of a later one on', () => {
    const parts = [numbered('a', 1, 9), numbered('b', 4, 6), [], numbered('c', 6, 8)];
    expect(joinEpochs(parts)).toEqual([
      ...numbered('a', 1, 3),
      ...numbered('b', 4, 5),
      ...numbered('c', 6, 8),
    ]);
  });
});
