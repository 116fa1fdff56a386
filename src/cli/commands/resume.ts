import { TroupeError } from '../../core/errors.ts';
import type { Troupe } from '../../runtime/api.ts';
import type { Workflow } from '../../workflow/model.ts';
import { followRun } from '../follow.ts';
import { dataFolder, troupeOptions } from '../options.ts';
import type { EngineOptions } from '../options.ts';
import type { OutputOptions } from '../output.ts';
import { withStoredRun } from '../stored-runs.ts';
import type { Shell } from '../shell.ts';

/** What `troupe resume` takes besides the run. */
export interface ResumeOptions extends EngineOptions, OutputOptions {
  readonly quiet?: boolean;
}

/** `troupe resume RUN`: takes a run over that nobody owns and follows it to its end. */
export async function resume(shell: Shell, named: string, options: ResumeOptions): Promise<number> {
  const { run, workflow } = await withStoredRun(
    shell,
    { run: named, options },
    async (stored, id) => ({
      run: id,
      workflow: await workflowOf(stored, id),
    }),
  );
  const troupe = await shell.openTroupe({
    ...troupeOptions(shell, options),
    dataDir: dataFolder(shell, options),
  });
  try {
    const handle = await troupe.resume(run);
    return await followRun(shell, { ...options, troupe, handle, workflow, fromStart: false });
  } finally {
    await troupe.close();
  }
}

/** The workflow that a run began with; it stands in its first record. */
async function workflowOf(troupe: Troupe, run: string): Promise<Workflow> {
  const [first] = await troupe.records(run);
  if (first?.type === 'run.started') return first.workflow;
  throw new TroupeError(
    'TRP_JOURNAL_CORRUPT',
    `the journal of ${run} does not begin with the run's start`,
  );
}
