import type { Clock } from '../../core/clock.ts';
import { TroupeError } from '../../core/errors.ts';
import type { Troupe } from '../../runtime/api.ts';
import type { RunReport } from '../../runtime/report.ts';
import { exitCodes } from '../exit-codes.ts';
import type { DataOptions } from '../options.ts';
import { writeJson } from '../output.ts';
import { byStanding, painter } from '../render/painter.ts';
import type { Shell } from '../shell.ts';
import { withStoredRun } from '../stored-runs.ts';

/** How long the run's end is waited for; attempts that will not stop are killed long before. */
const patienceMs = 10_000;

const lookEveryMs = 50;

/** `troupe cancel RUN`: asks the run's owner to cancel it, or says so in the journal when nobody owns it; waits for its end. */
export async function cancel(
  shell: Shell,
  named: string,
  options: DataOptions & { readonly json?: boolean },
): Promise<number> {
  await withStoredRun(shell, { run: named, options }, async (troupe, run) => {
    const before = await troupe.show(run);
    if (!isOpen(before.status)) throw endedAlready(before);
    await troupe.cancel(run, 'command line');
    const status = await statusAtEnd(troupe, run, shell.clock);
    if (options.json === true) return writeJson(shell, { format: 1, run_id: run, status });
    const paint = painter(shell.colours.out);
    shell.out(
      `${byStanding(paint, status)(isOpen(status) ? 'cancelling' : status.replace('_', ' '))}  ${run}\n`,
    );
  });
  return exitCodes.ok;
}

function isOpen(status: RunReport['status']): boolean {
  return status === 'running' || status === 'paused';
}

function endedAlready({ run_id, status }: RunReport): TroupeError {
  const goOn = status === 'succeeded' ? '' : `; to go on: troupe resume ${run_id}`;
  const message = `${run_id} has ended already (${status.replace('_', ' ')})${goOn}`;
  return new TroupeError('TRP_RUN_ENDED', message);
}

/** The owner answers when it has begun to cancel; the end is in the journal. */
async function statusAtEnd(
  troupe: Troupe,
  run: string,
  clock: Clock,
): Promise<RunReport['status']> {
  const end = clock.monotonic() + patienceMs;
  for (;;) {
    const { status } = await troupe.show(run);
    if (!isOpen(status) || clock.monotonic() >= end) return status;
    await new Promise<void>((resolve) => clock.setTimeout(resolve, lookEveryMs));
  }
}
