import { TroupeError } from '../../core/errors.ts';
import { faultLines } from '../failures.ts';
import { followRun } from '../follow.ts';
import { noticeLogger, tellShown } from '../bus-notices.ts';
import { readInputs } from '../inputs.ts';
import type { InputOptions } from '../inputs.ts';
import { busChoice, troupeOptions } from '../options.ts';
import type { EngineOptions } from '../options.ts';
import type { OutputOptions } from '../output.ts';
import { painter } from '../render/painter.ts';
import type { Shell } from '../shell.ts';
import { openWorkflowFile } from '../workflow-file.ts';
import type { Overrides } from '../workflow-file.ts';

/** What `troupe run` takes besides the file. */
export interface RunCommandOptions extends InputOptions, EngineOptions, OutputOptions, Overrides {
  readonly simulate?: boolean;
  readonly seed?: number;
  readonly quiet?: boolean;
  readonly stay?: boolean;
  readonly submit?: boolean;
  readonly wait?: boolean;
  readonly id?: string;
}

/** `troupe run FILE`: starts a run and follows it to its end. */
export async function run(shell: Shell, file: string, options: RunCommandOptions): Promise<number> {
  checkSubmission(options);
  const { warnings, workflow } = await openWorkflowFile(shell, file, options);
  const input = await readInputs(shell, options);
  for (const line of faultLines(warnings, painter(shell.colours.err), 'warning'))
    shell.err(`${line}\n`);
  if (options.submit === true) {
    const { submit } = await import('./submit.ts');
    return submit(shell, { file, workflow, input }, options);
  }
  const isSimulated = options.simulate === true;
  const engine: EngineOptions = isSimulated
    ? { ...options, level: 'memory', bus: 'embedded', journal: 'file' }
    : options;
  const troupe = await shell.openTroupe({
    ...troupeOptions(shell, engine),
    logger: noticeLogger(shell),
  });
  try {
    const handle = await troupe.run(workflow, input, {
      source: file,
      ...(options.simulate === undefined ? {} : { simulate: options.simulate }),
      ...(options.seed === undefined ? {} : { seed: options.seed }),
    });
    const bus = isSimulated ? undefined : (busChoice(shell, engine) ?? workflow.bus);
    tellShown(shell, options, { bus, run: handle.id });
    return await followRun(shell, { ...options, troupe, handle, workflow, fromStart: true });
  } finally {
    await troupe.close();
  }
}

/** What belongs to a submitted run is not passed over where none is. */
function checkSubmission({ submit, wait, id }: RunCommandOptions): void {
  if (submit === true || (wait !== true && id === undefined)) return;
  const option = wait === true ? '--wait' : '--id';
  const hint = 'Add --submit, or leave it out: a run that is not submitted is followed to its end.';
  throw new TroupeError('TRP_OPTION_INVALID', `${option} belongs to --submit.`, { hint });
}
