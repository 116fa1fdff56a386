import { existsSync, mkdirSync, rmSync, writeFileSync, readdirSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { seededRandom } from '../../../src/core/random.ts';
import { encodeCheckpoint } from '../../../src/journal/checkpoint.ts';
import { startIn } from '../../../src/journal/run-past.ts';
import { fold } from '../../../src/journal/fold.ts';
import type { JournalStore, OwnedRun } from '../../../src/journal/journal.ts';
import type { JournalRecord } from '../../../src/journal/record.ts';
import { openFileStore } from '../../../src/journal/stores/file-store/file-store.ts';
import { recordOf } from '../../conformance/journal-suite.ts';
import { temporaryFolder } from '../support/folder.ts';
import { fates, makeImage } from './image.ts';
import type { Calls, DiskCall, Recorder } from './recorder.ts';

const { recorder } = vi.hoisted(() => ({ recorder: { current: undefined as unknown } }));

vi.mock('node:fs/promises', async (original) => {
  const real = await original<Calls>();
  const { Recorder: Made } = await import('./recorder.ts');
  const made = new Made();
  recorder.current = made;
  return made.around(real);
});

type Level = 'process' | 'power';

const runs = ['a', 'b', 'c'];
const images = 1_000;
const workloads = 4;

/** Every thirteenth one has a value that is kept as a blob; the next run has the same. */
function recordAt(run: string, seq: number): JournalRecord {
  if (seq === 1) return { type: 'run.started', run, format: 1, seq, at: 1 } as JournalRecord;
  if (seq % 13 !== 0) return recordOf(seq, `${run}-${'x'.repeat((seq * 37) % 300)}`);
  const value = String(seq).repeat(33_000);
  return { seq, at: seq, type: 'step.done', task: run, iteration: 1, name: 's', value };
}

/** What was written, in full, by run. */
type Written = ReadonlyMap<string, JournalRecord[]>;

interface Workload {
  readonly root: string;
  readonly calls: readonly DiskCall[];
  readonly written: Written;
}

/** Writes to three runs at one time, keeps checkpoints, rotates segments, and lets another node take over. */
async function carryOut(level: Level, seed: number): Promise<Workload> {
  const random = seededRandom(seed);
  const root = await temporaryFolder();
  const watcher = recorder.current as Recorder;
  watcher.begin(root);
  const written: Written = new Map(runs.map((run) => [run, []]));
  for (const node of ['first', 'second']) {
    const store = await open(root, level, node);
    await Promise.all(runs.map((run) => writeTo(store, { run, written, random })));
    await store.close();
  }
  const calls = [...watcher.calls];
  watcher.root = undefined;
  return { root, calls, written };
}

function open(dataDir: string, level: Level, node: string): Promise<JournalStore> {
  let time = 1;
  return openFileStore({ dataDir, level, node, now: () => time++, segmentBytes: 4_000 });
}

async function writeTo(
  store: JournalStore,
  { run, written, random }: { run: string; written: Written; random: () => number },
): Promise<void> {
  const all = written.get(run) ?? [];
  const owned = all.length === 0 ? await store.create(run) : await store.adopt(run);
  for (let batch = 0; batch < 8; batch++) {
    const size = 1 + Math.floor(random() * 4);
    const records = Array.from({ length: size }, (_, index) =>
      recordAt(run, all.length + 1 + index),
    );
    all.push(...records);
    await append(owned, records, all);
  }
  await owned.release();
}

function append(
  owned: OwnedRun,
  records: readonly JournalRecord[],
  all: readonly JournalRecord[],
): Promise<void> {
  const { run } = owned;
  const state = fold(structuredClone(all));
  const encoded = encodeCheckpoint({ start: startIn(all), state, memory: [] });
  return new Promise((resolve, reject) => {
    owned.append(records, (error) => {
      if (error) return reject(error);
      const seq = records.at(-1)?.seq ?? 0;
      (recorder.current as Recorder).acknowledged(run, seq);
      const kept = seq % 3 === 0 ? owned.keep?.({ seq, bytes: encoded }) : undefined;
      void Promise.resolve(kept).then(() => resolve());
    });
  });
}

/** What is wrong with a run as it is found after a loss of power; undefined: nothing. */
async function faultOf(
  store: JournalStore,
  { run, written, acknowledged }: { run: string; written: Written; acknowledged: number },
): Promise<string | undefined> {
  const expected = written.get(run) ?? [];
  try {
    const read = await store.read(run);
    const owned = await store.adopt(run);
    const from = owned.checkpoint?.state.seq ?? 0;
    if (owned.checkpoint) {
      const state = fold(structuredClone(expected.slice(0, from)));
      if (!isDeepStrictEqual(owned.checkpoint.state, state)) return 'its checkpoint is another';
    }
    const tail = expected.slice(from, from + owned.records.length);
    if (!isDeepStrictEqual(owned.records, tail)) return 'a record is another';
    const count = from + owned.records.length;
    if (!isDeepStrictEqual(read, expected.slice(0, count))) return 'the whole is another';
    return count < acknowledged ? `${count} of ${acknowledged} are there` : undefined;
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    return code === 'TRP_RUN_NOT_FOUND' && acknowledged === 0 ? undefined : `${code}: ${message}`;
  }
}

/** Faults found in so many images, with what repeats each. */
async function faultsOf(
  level: Level,
  { seed, count }: { seed: number; count: number },
): Promise<{ faults: string[]; acknowledged: number }> {
  const faults: string[] = [];
  let total = 0;
  const { root, calls, written } = await carryOut(level, seed);
  const random = seededRandom(seed * 1_000);
  for (let image = 0; image < count; image++) {
    const at = 1 + Math.floor(random() * calls.length);
    const fate = fates[image % fates.length] ?? 'kept';
    const target = `${root}-image`;
    mkdirSync(target);
    makeImage({ calls, root, at, fate, random }, target);
    bury(target);
    const store = await open(target, 'process', 'after');
    for (const run of runs) {
      const acknowledged = acknowledgedBy(calls.slice(0, at), run);
      total += acknowledged;
      const fault = await faultOf(store, { run, written, acknowledged });
      if (fault) faults.push(`seed ${seed}, call ${at}, ${fate}, run ${run}: ${fault}`);
    }
    await store.close();
    rmSync(target, { recursive: true, force: true });
  }
  return { faults, acknowledged: total };
}

function acknowledgedBy(calls: readonly DiskCall[], run: string): number {
  const last = calls.findLast((call) => call.call === 'acknowledged' && call.run === run);
  return last?.call === 'acknowledged' ? last.seq : 0;
}

/** Nobody lives after a loss of power. */
function bury(dataDir: string): void {
  const nodes = join(dataDir, 'nodes');
  if (!existsSync(nodes)) return;
  const owner = JSON.stringify({ format: 1, pid: 2 ** 22 + 1, start: '1', boot: 'another' });
  for (const node of readdirSync(nodes)) {
    const path = join(nodes, node, 'owner.json');
    if (existsSync(path)) writeFileSync(path, owner);
  }
}

describe(`${images} losses of power`, () => {
  it.each([1, 2, 3, 4])(
    'lose no record that was acknowledged at level power, and give none that was not written: history %i',
    async (seed) => {
      const count = images / workloads;
      const { faults, acknowledged } = await faultsOf('power', { seed, count });
      expect(faults).toEqual([]);
      expect(acknowledged).toBeGreaterThan(count);
    },
    120_000,
  );

  it('lose records of level process, so that the images can tell', async () => {
    const { faults } = await faultsOf('process', { seed: 1, count: 40 });
    expect(faults.length).toBeGreaterThan(20);
    expect(faults.filter((fault) => fault.includes('another'))).toEqual([]);
  }, 120_000);
});
