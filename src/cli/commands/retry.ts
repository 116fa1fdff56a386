import { TroupeError } from '../../core/errors.ts';
import type { RunStarted } from '../../journal/record.ts';
import type { RunHandle, Troupe } from '../../runtime/api.ts';
import { noticeLogger } from '../bus-notices.ts';
import { exitCodes } from '../exit-codes.ts';
import { followRun } from '../follow.ts';
import { troupeOptions } from '../options.ts';
import type { EngineOptions } from '../options.ts';
import { writeJson } from '../output.ts';
import type { OutputOptions } from '../output.ts';
import type { Shell } from '../shell.ts';
import { withStoredRun } from '../stored-runs.ts';

/** What `troupe retry` and `troupe fork` take besides the run and the task. */
export interface RetryOptions extends EngineOptions, OutputOptions {
  readonly quiet?: boolean;
  readonly stay?: boolean;
}

interface Named {
  readonly run: string;
  readonly task: string;
}

/** `troupe retry RUN TASK`: in the process that owns the run; a run that nobody owns is taken over and followed. */
export function retry(shell: Shell, named: Named, options: RetryOptions): Promise<number> {
  return carry(shell, { named, options, fromStart: false }, (troupe, { run, task }) =>
    troupe.retry(run, task, 'command line'),
  );
}

/** `troupe fork RUN --from TASK`: starts the new run and follows it. */
export function fork(shell: Shell, named: Named, options: RetryOptions): Promise<number> {
  return carry(shell, { named, options, fromStart: true }, (troupe, { run, task }) =>
    troupe.fork(run, { from: task }),
  );
}

interface Carrying {
  readonly named: Named;
  readonly options: RetryOptions;
  readonly fromStart: boolean;
}

async function carry(
  shell: Shell,
  { named, options, fromStart }: Carrying,
  begin: (troupe: Troupe, named: Named) => Promise<RunHandle | undefined>,
): Promise<number> {
  const { run, start } = await withStoredRun(shell, { run: named.run, options }, startOf);
  const troupe = await shell.openTroupe({
    ...troupeOptions(shell, options),
    logger: noticeLogger(shell),
  });
  try {
    const handle = await begin(troupe, { run, task: named.task });
    if (handle) {
      const { workflow } = start;
      return await followRun(shell, { ...options, troupe, handle, workflow, fromStart });
    }
    if (options.json === true) writeJson(shell, { format: 1, run_id: run, retried: named.task });
    else shell.out(`retried  ${named.task}\n`);
    return exitCodes.ok;
  } finally {
    await troupe.close();
  }
}

async function startOf(stored: Troupe, run: string): Promise<{ run: string; start: RunStarted }> {
  const [start] = await stored.records(run);
  if (start?.type === 'run.started') return { run, start };
  const message = `the journal of ${run} does not begin with the run's start`;
  throw new TroupeError('TRP_JOURNAL_CORRUPT', message);
}
