import { systemClock } from '../core/clock.ts';
import { TroupeError } from '../core/errors.ts';
import { fold } from '../journal/fold.ts';
import type { EndedRun, JournalStore } from '../journal/journal.ts';
import { withKeptRuns } from './retention-place.ts';
import type { RunsPlace } from './retention-place.ts';

/** Which runs are to go. Without a limit all that have ended. */
export interface RetentionOptions {
  /** Only those that ended longer ago than this, in milliseconds. Default 0. */
  readonly olderThanMs?: number;
  /** So many of those that ended last stay. Default 0. */
  readonly keep?: number;
  /** True: nothing is removed. Default false. */
  readonly dryRun?: boolean;
  /** Wall time in milliseconds. Default: now. */
  readonly nowMs?: number;
}

/** What became of a run that was to go. */
export interface PrunedRun {
  readonly run_id: string;
  readonly ended_at: string;
  /** Why it is still there; null: it is gone, or would be. */
  readonly kept: string | null;
}

/**
 * Removes one run and all that is kept of it: in a data folder its records in every journal, checkpoints, large values
 * that no other run has, workspaces; on a bus everything that the namespace has of it.
 * @throws TroupeError TRP_RUN_NOT_FOUND; TRP_RUN_OWNED while it is carried, or a process lives that has carried it
 */
export async function deleteRun(place: RunsPlace, run: string): Promise<void> {
  await withKeptRuns(place, async ({ remove, store }) => {
    await remove(run);
    await store.sweep?.();
  });
}

/**
 * Removes runs of a data folder, or of a bus, that have ended, oldest first. What is interrupted is never removed: it can still be
 * resumed.
 */
export async function pruneRuns(
  place: RunsPlace,
  options: RetentionOptions = {},
): Promise<readonly PrunedRun[]> {
  const { olderThanMs = 0, keep = 0, dryRun = false, nowMs = systemClock.now() } = options;
  return withKeptRuns(place, async ({ remove, store }) => {
    const ended = await endedRuns(store);
    const gone = ended
      .slice(0, Math.max(0, ended.length - keep))
      .filter(({ endedAt }) => nowMs - endedAt >= olderThanMs);
    const pruned: PrunedRun[] = [];
    for (const { run, endedAt } of gone) {
      const kept = dryRun ? null : await refusalOf(remove(run));
      pruned.push({ run_id: run, ended_at: new Date(endedAt).toISOString(), kept });
    }
    if (!dryRun) await store.sweep?.();
    return pruned;
  });
}

/** Oldest end first. A run whose journal cannot be read is left to those who can mend it. */
async function endedRuns(store: JournalStore): Promise<readonly EndedRun[]> {
  if (store.ended) return store.ended();
  const found: EndedRun[] = [];
  for (const { run, owner } of await store.list()) {
    if (owner !== undefined) continue;
    const records = await store.read(run).catch(() => []);
    const { endedAt } = fold(records);
    if (endedAt !== undefined) found.push({ run, endedAt });
  }
  return found.sort((a, b) => a.endedAt - b.endedAt);
}

async function refusalOf(removal: Promise<void>): Promise<string | null> {
  try {
    await removal;
    return null;
  } catch (error) {
    if (error instanceof TroupeError && error.code === 'TRP_RUN_OWNED') return error.message;
    throw error;
  }
}
