import type { Bus } from '../../bus/bus.ts';
import type { EventLog } from '../../bus/event-log.ts';
import { escapeToken, unescapeToken } from '../../bus/subject-grammar.ts';
import type { Clock } from '../../core/clock.ts';
import { isJournalEntry } from '../../journal/stores/bus-store/frame.ts';
import { openMemoryBucket } from './memory-bucket.ts';
import { runPath } from './projected-values.ts';

/** How long a run that has ended is shown on the bus. */
const shownMs = 7 * 24 * 3_600_000;

/** Removes what runs have left on the bus that ended long ago, whoever owned them. Gives their ids. */
export async function removeOldProjections(bus: Bus, clock: Clock): Promise<readonly string[]> {
  const bucket = await openMemoryBucket(bus);
  const removed: string[] = [];
  for (const key of await bucket.keys(`*.${runPath.join('.')}`)) {
    const shown = (await bucket.get(key))?.value as { ended?: boolean; at?: number } | undefined;
    const run = unescapeToken(key.slice(0, key.indexOf('.')));
    if (run === undefined || shown?.ended !== true) continue;
    if ((shown.at ?? 0) + shownMs > clock.now()) continue;
    await removeProjection(bus, run);
    removed.push(run);
  }
  return removed;
}

/** Removes everything that a run has left on the bus: keys, changesets, conflicts. A journal is not touched. */
export async function removeProjection(bus: Bus, run: string): Promise<void> {
  const bucket = await openMemoryBucket(bus);
  await bucket.purge(`${escapeToken(run)}.>`);
  const changesets = await bus.log('jrn', run);
  if (!(await isJournal(changesets))) await changesets.purge();
  await (await bus.log('cfl', run)).purge();
}

async function isJournal(log: EventLog): Promise<boolean> {
  for await (const entry of log.read()) return isJournalEntry(entry);
  return false;
}
