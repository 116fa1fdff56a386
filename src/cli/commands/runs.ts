import type { RunSummary } from '../../runtime/api.ts';
import { exitCodes } from '../exit-codes.ts';
import { dataFolder } from '../options.ts';
import type { DataOptions } from '../options.ts';
import { writeJson, writeLines } from '../output.ts';
import { narrowTable } from '../render/shapes.ts';
import { oneLine } from '../render/width.ts';
import type { Shell } from '../shell.ts';
import { withStoredRuns } from '../stored-runs.ts';

/** `troupe runs`: the runs of a data folder, newest first. */
export async function runs(
  shell: Shell,
  options: DataOptions & { readonly json?: boolean },
): Promise<number> {
  const found = (await withStoredRuns(shell, options, (troupe) => troupe.runs())) ?? [];
  const newestFirst = [...found].sort((a, b) => b.started_at.localeCompare(a.started_at));
  if (options.json === true) writeJson(shell, { format: 1, runs: newestFirst });
  else if (newestFirst.length === 0) shell.err(`no runs in ${dataFolder(shell, options)}\n`);
  else
    writeLines(
      shell,
      narrowTable(
        [['run', 'workflow', 'status', 'succeeded', 'started', 'owner'], ...newestFirst.map(rowOf)],
        shell.outIsTerminal() ? shell.outColumns() : Number.POSITIVE_INFINITY,
        ['owner', 'started', 'succeeded', 'workflow'],
      ),
    );
  return exitCodes.ok;
}

function rowOf(run: RunSummary): readonly string[] {
  const progress = `${run.tasks_succeeded}/${run.tasks_total}`;
  return [
    run.run_id,
    oneLine(run.workflow),
    run.status.replace('_', ' '),
    progress,
    run.started_at,
    run.owner ?? '-',
  ];
}
