import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../core/clock.ts';
import { randomIds } from '../core/ids.ts';
import { silentLogger } from '../core/log.ts';
import type { JournalStore } from '../journal/journal.ts';
import { isRunId } from '../journal/run-id.ts';
import { openFileStore } from '../journal/stores/file-store/file-store.ts';
import { openBus } from './open-bus.ts';
import { removeRun } from './run-removal.ts';

/** Where runs are kept: a data folder, or the namespace (default `default`) of a bus. */
export type RunsPlace = string | { readonly bus: string; readonly ns?: string };

/** Runs where they are kept, for those who remove them. */
export interface KeptRuns {
  readonly store: JournalStore;
  /** One run with all that is kept of it. Rejects with TRP_RUN_NOT_FOUND, TRP_RUN_OWNED. */
  readonly remove: (run: string) => Promise<void>;
}

/** Works with the runs of a place, and leaves it. */
export async function withKeptRuns<T>(
  place: RunsPlace,
  work: (runs: KeptRuns) => Promise<T>,
): Promise<T> {
  return typeof place === 'string' ? inFolder(place, work) : onBus(place, work);
}

async function inFolder<T>(dataDir: string, work: (runs: KeptRuns) => Promise<T>): Promise<T> {
  const now = (): number => systemClock.now();
  const store = await openFileStore({ dataDir, level: 'power', now, schedule: setImmediate });
  const remove = async (run: string): Promise<void> => {
    await store.delete?.(run);
    if (isRunId(run)) await rm(join(dataDir, 'workspaces', run), { recursive: true, force: true });
  };
  try {
    return await work({ store, remove });
  } finally {
    await store.close();
  }
}

async function onBus<T>(
  { bus: address, ns = 'default' }: Exclude<RunsPlace, string>,
  work: (runs: KeptRuns) => Promise<T>,
): Promise<T> {
  const clock = systemClock;
  const open = await openBus(address, { clock, logger: silentLogger, ns, dataDir: undefined });
  const { bus } = open;
  const { openBusStore } = await import('../journal/stores/bus-store/bus-store.ts');
  const { withBlobs } = await import('../journal/blobs/with-blobs.ts');
  const { runBlobs } = await import('../journal/stores/bus-store/run-blobs.ts');
  const plain = openBusStore({ bus, node: randomIds.node(), clock, schedule: setImmediate });
  const store = withBlobs(plain, (run) => runBlobs(bus, run));
  try {
    return await work({ store, remove: (run) => removeRun(store, bus, run) });
  } finally {
    await store.close();
    await open.close();
  }
}
