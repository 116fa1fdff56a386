import { existsSync } from 'node:fs';
import { TroupeError } from '../../core/errors.ts';
import { deleteRun, pruneRuns } from '../../runtime/retention.ts';
import { exitCodes } from '../exit-codes.ts';
import type { RunsPlace } from '../../runtime/retention-place.ts';
import { dataFolder } from '../options.ts';
import type { DataOptions } from '../options.ts';
import { writeJson } from '../output.ts';
import type { Shell } from '../shell.ts';
import { journalBusOf, withStoredRun } from '../stored-runs.ts';

/** What `troupe runs` takes to remove runs. */
export interface PruneOptions extends DataOptions {
  readonly json?: boolean;
  readonly prune?: boolean;
  /** A run to remove, named like any other. */
  readonly delete?: string;
  /** Milliseconds. */
  readonly olderThan?: number;
  readonly keep?: number;
  readonly dryRun?: boolean;
}

/**
 * Whether runs are to be removed, not listed.
 * @throws TroupeError TRP_OPTION_INVALID when it is said how, but not that
 */
export function removesRuns(options: PruneOptions): boolean {
  const { prune, delete: run, olderThan, keep, dryRun } = options;
  if (prune === true || run !== undefined) return true;
  if (dryRun !== true && olderThan === undefined && keep === undefined) return false;
  const hint = 'Add --prune, or leave them out to list runs.';
  const message = '--older-than, --keep and --dry-run belong to --prune or --delete.';
  throw new TroupeError('TRP_OPTION_INVALID', message, { hint });
}

/**
 * `troupe runs --prune` and `troupe runs --delete RUN`.
 * @throws TroupeError TRP_OPTION_INVALID when both are asked for
 */
export async function removeRuns(shell: Shell, options: PruneOptions): Promise<number> {
  if (options.delete === undefined) return prune(shell, options);
  if (options.prune === true)
    throw new TroupeError('TRP_OPTION_INVALID', '--prune and --delete are given; use one of them');
  return removeOne(shell, options.delete, options);
}

async function removeOne(shell: Shell, named: string, options: PruneOptions): Promise<number> {
  const run = await withStoredRun(shell, { run: named, options }, async (_, id) => id);
  if (options.dryRun !== true) await deleteRun(placeOf(shell, options), run);
  if (options.json === true) writeJson(shell, { format: 1, deleted: [run] });
  else shell.out(`${options.dryRun === true ? 'would delete' : 'deleted'}  ${run}\n`);
  return exitCodes.ok;
}

async function prune(shell: Shell, options: PruneOptions): Promise<number> {
  const { olderThan: olderThanMs, keep, dryRun = false } = options;
  const place = placeOf(shell, options);
  const isThere = typeof place !== 'string' || existsSync(place);
  const runs = isThere
    ? await pruneRuns(place, {
        ...(olderThanMs === undefined ? {} : { olderThanMs }),
        ...(keep === undefined ? {} : { keep }),
        dryRun,
      })
    : [];
  const deleted = runs.filter((run) => run.kept === null).map((run) => run.run_id);
  const kept = runs.filter((run) => run.kept !== null);
  if (options.json === true) writeJson(shell, { format: 1, dry_run: dryRun, deleted, kept });
  else {
    for (const run of deleted) shell.out(`${dryRun ? 'would delete' : 'deleted'}  ${run}\n`);
    for (const run of kept) shell.err(`kept  ${run.run_id}: ${run.kept}\n`);
    if (runs.length === 0) shell.out('no run to delete\n');
  }
  return exitCodes.ok;
}

/** Where the runs are: on the bus that the command, or TROUPE_JOURNAL, names, else in the data folder. */
function placeOf(shell: Shell, options: PruneOptions): RunsPlace {
  const bus = journalBusOf(shell, options);
  return bus === undefined ? dataFolder(shell, options) : { bus };
}
