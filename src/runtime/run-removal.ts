import { forgetLarge } from '../actors/remote/large-message.ts';
import type { Bus } from '../bus/bus.ts';
import { TroupeError } from '../core/errors.ts';
import type { JournalStore } from '../journal/journal.ts';
import { removeProjection } from './projection/janitor.ts';

/**
 * Removes one run of a bus and all that is kept of it there: journal, large values, what it showed, what worker hosts
 * left for it. Can be repeated when it was cut short.
 * @throws TroupeError TRP_RUN_NOT_FOUND; TRP_RUN_OWNED while it is carried
 */
export async function removeRun(store: JournalStore, bus: Bus, run: string): Promise<void> {
  try {
    await store.delete?.(run);
  } catch (error) {
    // An earlier removal may have come no further than the journal.
    if (isUnknown(error)) await removeAround(bus, run);
    throw error;
  }
  await removeAround(bus, run);
}

async function removeAround(bus: Bus, run: string): Promise<void> {
  await removeProjection(bus, run);
  const left = await bus.log('res', run);
  for await (const { payload } of left.read()) await forgetLarge(bus, payload);
  await left.purge();
}

function isUnknown(error: unknown): boolean {
  return error instanceof TroupeError && error.code === 'TRP_RUN_NOT_FOUND';
}
