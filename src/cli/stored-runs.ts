import { existsSync } from 'node:fs';
import { TroupeError } from '../core/errors.ts';
import type { RunSummary, Troupe } from '../runtime/api.ts';
import { dataFolder } from './options.ts';
import type { DataOptions } from './options.ts';
import type { Shell } from './shell.ts';

/** Candidates that an ambiguous prefix names. */
const maxNamed = 5;

/** Works with the runs of a data folder; looking never makes the folder. Undefined: there is none. */
export async function withStoredRuns<T>(
  shell: Shell,
  options: DataOptions,
  work: (troupe: Troupe) => Promise<T>,
): Promise<T | undefined> {
  const dataDir = dataFolder(shell, options);
  if (!existsSync(dataDir)) return undefined;
  const troupe = await shell.openTroupe({ dataDir, control: false });
  try {
    return await work(troupe);
  } finally {
    await troupe.close();
  }
}

/**
 * Works with one run of a data folder, named by its id or a prefix that only it has.
 * @throws TroupeError TRP_RUN_NOT_FOUND when no run, or more than one, has that prefix.
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
  });
}

/** The id that a prefix stands for, with or without its `run-`. A whole id is taken as it is. */
async function findRun(troupe: Troupe, prefix: string): Promise<string> {
  if (/^run-[0-9a-z]{16}$/.test(prefix)) return prefix;
  return matchRun(prefix, await troupe.runs());
}

/** The id that a prefix stands for among known runs. */
export function matchRun(prefix: string, runs: readonly Pick<RunSummary, 'run_id'>[]): string {
  const ids = runs.map(({ run_id }) => run_id);
  if (ids.includes(prefix)) return prefix;
  const found =
    prefix === ''
      ? []
      : ids.filter((id) => id.startsWith(prefix) || id.startsWith(`run-${prefix}`));
  const [only, ...others] = found;
  if (only !== undefined && others.length === 0) return only;
  if (only === undefined)
    throw new TroupeError('TRP_RUN_NOT_FOUND', `no run begins with ${JSON.stringify(prefix)}`);
  const named = found.slice(0, maxNamed).join(', ') + (found.length > maxNamed ? ' ...' : '');
  throw new TroupeError(
    'TRP_RUN_NOT_FOUND',
    `${found.length} runs begin with ${JSON.stringify(prefix)}: ${named}`,
    {
      hint: 'Give more of the id.',
    },
  );
}
