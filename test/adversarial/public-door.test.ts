import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { openFileStore } from '../../src/journal/stores/file-store/file-store.ts';
import type { JournalRecord } from '../../src/journal/record.ts';
import type { TaskContext } from '../../src/actors/behaviours/behaviour.ts';
import { createTroupe } from '../../src/runtime/troupe.ts';
import { sim } from '../support/run-harness.ts';
import { eventually } from '../support/eventually.ts';

/** What callers do who do not wait: calls that cross each other at the public door. */

let dataDir: string;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'troupe-door-'));
});

afterEach(() => {
  rmSync(dataDir, { recursive: true, force: true });
});

const endless = { version: 1 as const, name: 'endless', tasks: { a: sim(60_000) } };

/** Some turns of the event loop. */
async function turns(count: number): Promise<void> {
  for (let left = count; left > 0; left--) await new Promise((resolve) => setImmediate(resolve));
}

/** A run that nobody owns and that has work left. */
async function leaveRun(): Promise<string> {
  const troupe = await createTroupe({ dataDir, control: false });
  const { id } = await troupe.run(endless);
  await troupe.close();
  return id;
}

describe('close', () => {
  it('starts nothing of the runs that wait for their turn', async () => {
    let begun = 0;
    const f = ({ signal }: TaskContext): Promise<never> => {
      begun++;
      return new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error));
      });
    };
    const troupe = await createTroupe({ concurrency: 1, functions: { f } });
    const agents = { f: { uses: 'function' as const, module: 'host:f' } };
    const document = { version: 1 as const, name: 'queue', agents, tasks: { a: { agent: 'f' } } };
    for (let count = 0; count < 3; count++) await troupe.run(document);
    await eventually('the first run has begun', () => begun > 0);
    await troupe.close();
    expect(begun).toBe(1);
  });

  it.each([0, 1, 2, 3, 5, 8, 12, 20])(
    'settles with a run that was asked for %i turns before, in memory and on disk',
    async (count) => {
      for (const options of [{}, { dataDir, control: false }]) {
        const troupe = await createTroupe(options);
        const run = troupe.run(endless).catch((error: unknown) => error);
        await turns(count);
        await troupe.close();
        const settled = await run;
        if (settled instanceof Error) expect(settled).toMatchObject({ code: 'TRP_CLOSED' });
        else expect(settled).toHaveProperty('id');
      }
    },
  );
});

describe('cancel', () => {
  it.each([0, 1, 2, 4, 8])(
    'ends a run whose resume was asked for %i turns before',
    async (count) => {
      const id = await leaveRun();
      const troupe = await createTroupe({ dataDir, control: false });
      const resumed = troupe.resume(id).catch(() => undefined);
      await turns(count);
      await troupe.cancel(id).catch(() => undefined);
      const handle = await resumed;
      await troupe.cancel(id).catch(() => undefined);
      if (handle) expect(await handle.outcome()).toMatchObject({ status: 'cancelled' });
      expect((await troupe.show(id)).status).toBe('cancelled');
      await troupe.close();
    },
  );
});

describe('resume', () => {
  it('refuses a journal with a record that this engine does not know, and lets close end', async () => {
    const id = await leaveRun();
    const store = await openFileStore({ dataDir, level: 'process', now: Date.now });
    const owned = await store.adopt(id);
    const unknown = { type: 'task.paused', task: 'a', seq: owned.records.length + 1, at: 1 };
    await new Promise<void>((resolve) => {
      owned.append([unknown as unknown as JournalRecord], () => resolve());
    });
    await store.close();
    const troupe = await createTroupe({ dataDir, control: false });
    await expect(troupe.resume(id)).rejects.toMatchObject({ code: 'TRP_JOURNAL_VERSION' });
    await troupe.close();
  });

  it('gives the run to one of two who ask at once', async () => {
    const id = await leaveRun();
    const troupe = await createTroupe({ dataDir, control: false });
    const both = await Promise.allSettled([troupe.resume(id), troupe.resume(id)]);
    expect(both.some(({ status }) => status === 'fulfilled')).toBe(true);
    await troupe.cancel(id);
    expect(await troupe.show(id)).toMatchObject({ status: 'cancelled' });
    await troupe.close();
  });
});
