import { exitCodes } from '../exit-codes.ts';
import type { DataOptions } from '../options.ts';
import { writeJson } from '../output.ts';
import { byStanding, painter } from '../render/painter.ts';
import type { Shell } from '../shell.ts';
import { withStoredRun } from '../stored-runs.ts';

/** `troupe cancel RUN`: asks the run's owner to cancel it, or says so in the journal when nobody owns it. */
export async function cancel(shell: Shell, named: string, options: DataOptions & { readonly json?: boolean }): Promise<number> {
  await withStoredRun(shell, { run: named, options }, async (troupe, run) => {
    await troupe.cancel(run, 'command line');
    const { status } = await troupe.show(run);
    if (options.json === true) return writeJson(shell, { format: 1, run_id: run, status });
    shell.out(`${byStanding(painter(shell.colours.out), status)(status.replace('_', ' '))}  ${run}\n`);
  });
  return exitCodes.ok;
}
