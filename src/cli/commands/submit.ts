import { TroupeError } from '../../core/errors.ts';
import type { PlainObject } from '../../core/plain.ts';
import type { SubmitOptions } from '../../runtime/api.ts';
import type { Workflow } from '../../workflow/model.ts';
import { noticeLogger, tellShown } from '../bus-notices.ts';
import { exitCodes } from '../exit-codes.ts';
import { followRun } from '../follow.ts';
import { busChoice } from '../options.ts';
import { writeJson } from '../output.ts';
import type { Shell } from '../shell.ts';
import type { RunCommandOptions } from './run.ts';

/** What is submitted. */
export interface Submission {
  readonly file: string;
  readonly workflow: Workflow;
  readonly input: PlainObject;
}

/** `troupe run FILE --submit`: hands the run to whichever process serves the bus; with `--wait` follows it to its end. */
export async function submit(
  shell: Shell,
  submission: Submission,
  options: RunCommandOptions,
): Promise<number> {
  const { file, workflow, input } = submission;
  const bus = busChoice(shell, options) ?? workflow.bus;
  if (bus === undefined || bus === 'embedded' || options.simulate === true)
    throw notForBus(options);
  const logger = noticeLogger(shell);
  const troupe = await shell.openTroupe({ bus, journal: 'bus', logger });
  try {
    const run = await troupe.submit(workflow, input, submitOptions(file, options));
    if (options.wait !== true) return tellId(shell, run, options);
    const handle = await troupe.follow(run);
    tellShown(shell, options, { bus, run });
    return await followRun(shell, { ...options, troupe, handle, workflow, fromStart: true });
  } finally {
    await troupe.close();
  }
}

function submitOptions(file: string, { id, seed }: RunCommandOptions): SubmitOptions {
  return {
    source: file,
    ...(id === undefined ? {} : { id }),
    ...(seed === undefined ? {} : { seed }),
  };
}

function tellId(shell: Shell, run: string, { json, jsonl }: RunCommandOptions): number {
  if (json === true || jsonl === true) writeJson(shell, { format: 1, run_id: run });
  else shell.out(`${run}\n`);
  return exitCodes.ok;
}

function notForBus({ simulate }: RunCommandOptions): TroupeError {
  const message =
    simulate === true
      ? '--submit and --simulate do not go together: a simulated run needs no other process'
      : '--submit needs a bus that other processes serve';
  return new TroupeError('TRP_OPTION_INVALID', message, {
    hint: 'troupe serve --nats URL somewhere, then troupe run FILE --submit --bus URL.',
  });
}
