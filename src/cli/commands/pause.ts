import { exitCodes } from '../exit-codes.ts';
import type { DataOptions } from '../options.ts';
import { writeJson } from '../output.ts';
import type { Shell } from '../shell.ts';
import { withStoredRun } from '../stored-runs.ts';

type Options = DataOptions & { readonly json?: boolean };

const by = 'command line';

/** `troupe pause RUN`: whichever process owns the run; one that nobody carries is paused when it is taken over. */
export async function pause(shell: Shell, named: string, options: Options): Promise<number> {
  await withStoredRun(shell, { run: named, options }, async (troupe, run) => {
    await troupe.pause(run, by);
    if (options.json === true) return writeJson(shell, { format: 1, run_id: run, paused: true });
    shell.out(`paused  ${run}\nto go on: troupe resume ${run}\n`);
  });
  return exitCodes.ok;
}

/** `troupe skip RUN TASK`. */
export async function skip(
  shell: Shell,
  { run: named, task }: { readonly run: string; readonly task: string },
  options: Options,
): Promise<number> {
  await withStoredRun(shell, { run: named, options }, async (troupe, run) => {
    await troupe.skip(run, task, by);
    if (options.json === true) return writeJson(shell, { format: 1, run_id: run, skipped: task });
    const { owner } = (await troupe.runs()).find(({ run_id }) => run_id === run) ?? {};
    const goOn = owner ? '' : `to go on: troupe resume ${run}\n`;
    shell.out(`skipped  ${task}\n${goOn}`);
  });
  return exitCodes.ok;
}
