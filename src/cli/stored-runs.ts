import { existsSync } from 'node:fs';
import { TroupeError } from '../core/errors.ts';
import type { RunSummary, Troupe, TroupeOptions } from '../runtime/api.ts';
import { busChoice, dataFolder, isJournalOnBus } from './options.ts';
import type { DataOptions } from './options.ts';
import type { Shell } from './shell.ts';

/** Candidates that an ambiguous name lists. */
const maxNamed = 5;

/** Works with the runs of a data folder; looking never makes the folder. Undefined: there is none. */
export async function withStoredRuns<T>(
  shell: Shell,
  options: DataOptions,
  work: (troupe: Troupe) => Promise<T>,
): Promise<T | undefined> {
  const stored = whereStored(shell, options);
  if (!stored) return undefined;
  const troupe = await shell.openTroupe(stored);
  try {
    return await work(troupe);
  } finally {
    await troupe.close();
  }
}

/** The bus whose runs are meant; undefined: those of the data folder are. */
export function journalBusOf(shell: Shell, options: DataOptions): string | undefined {
  return options.bus ?? (isJournalOnBus(shell) ? busChoice(shell, options) : undefined);
}

/** Runs of a bus where one is named with the command, or TROUPE_JOURNAL says so. Undefined: there is no data folder. */
function whereStored(shell: Shell, options: DataOptions): TroupeOptions | undefined {
  const bus = journalBusOf(shell, options);
  if (bus !== undefined) return { bus, journal: 'bus' };
  const dataDir = dataFolder(shell, options);
  return existsSync(dataDir) ? { dataDir, control: false } : undefined;
}

/**
 * Works with one run of a data folder, named as in {@link matchRun}.
 * @throws TroupeError TRP_RUN_NOT_FOUND when no run, or more than one, has that name.
 */
export async function withStoredRun<T>(
  shell: Shell,
  named: { readonly run: string; readonly options: DataOptions },
  work: (troupe: Troupe, run: string) => Promise<T>,
): Promise<T> {
  const { options, run } = named;
  const done = await withStoredRuns(shell, options, async (troupe) => ({
    result: await work(troupe, await findRun(troupe, run)),
  }));
  if (done) return done.result;
  throw new TroupeError('TRP_RUN_NOT_FOUND', `there is no data folder, so no run ${run}`, {
    place: dataFolder(shell, options),
    hint: 'Runs are kept where they were started: name the folder with --data or TROUPE_DATA.',
  });
}

/** The id that a name stands for. A whole id is taken as it is. */
async function findRun(troupe: Troupe, name: string): Promise<string> {
  if (/^run-[0-9a-z]{16}$/.test(name)) return name;
  return matchRun(name, await troupe.runs());
}

/**
 * The id that a name stands for among known runs: `last` is the one that was started last; anything else is
 * its beginning, with or without `run-`, or, when no run begins so, its end.
 * @throws TroupeError TRP_RUN_NOT_FOUND when no run, or more than one, has that name.
 */
export function matchRun(
  name: string,
  runs: readonly (Pick<RunSummary, 'run_id'> & Partial<Pick<RunSummary, 'started_at'>>)[],
): string {
  const ids = runs.map(({ run_id }) => run_id);
  if (ids.includes(name)) return name;
  if (name === 'last') return lastOf(runs);
  const beginning = ids.filter((id) => id.startsWith(name) || id.startsWith(`run-${name}`));
  const [found, verb] =
    beginning.length > 0 ? [beginning, 'begin'] : [ids.filter((id) => id.endsWith(name)), 'end'];
  const [only, ...others] = name === '' ? [] : found;
  if (only === undefined)
    throw notFound(
      `no run begins or ends with ${JSON.stringify(name)}`,
      '`troupe runs` lists the runs of the data folder.',
    );
  if (others.length === 0) return only;
  const named = found.slice(0, maxNamed).join(', ') + (found.length > maxNamed ? ' ...' : '');
  throw notFound(
    `${found.length} runs ${verb} with ${JSON.stringify(name)}: ${named}`,
    'Give more of the id.',
  );
}

function lastOf(
  runs: readonly { readonly run_id: string; readonly started_at?: string }[],
): string {
  let last = runs[0];
  for (const run of runs) {
    if ((run.started_at ?? '') >= (last?.started_at ?? '')) last = run;
  }
  if (last) return last.run_id;
  throw notFound('there is no run yet', 'Start one: troupe run FILE.');
}

function notFound(message: string, hint: string): TroupeError {
  return new TroupeError('TRP_RUN_NOT_FOUND', message, { hint });
}
