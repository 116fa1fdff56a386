import { faultLines } from '../failures.ts';
import { followRun } from '../follow.ts';
import { readInputs } from '../inputs.ts';
import type { InputOptions } from '../inputs.ts';
import { troupeOptions } from '../options.ts';
import type { EngineOptions } from '../options.ts';
import type { OutputOptions } from '../output.ts';
import { painter } from '../render/painter.ts';
import type { Shell } from '../shell.ts';
import { openWorkflowFile } from '../workflow-file.ts';

export interface RunCommandOptions extends InputOptions, EngineOptions, OutputOptions {
  readonly simulate?: boolean;
  readonly seed?: number;
  /** Milliseconds from the run's start; instead of the document's own. */
  readonly deadline?: number;
  readonly quiet?: boolean;
}

/** `troupe run FILE`: starts a run and follows it to its end. */
export async function run(shell: Shell, file: string, options: RunCommandOptions): Promise<number> {
  const { warnings, workflow: written } = await openWorkflowFile(shell, file);
  const input = await readInputs(shell, options);
  for (const line of faultLines(warnings, painter(shell.colours.err), 'warning')) shell.err(`${line}\n`);
  const workflow = options.deadline === undefined ? written : { ...written, deadlineMs: options.deadline };
  const troupe = await shell.openTroupe(troupeOptions(shell, options));
  try {
    const handle = await troupe.run(workflow, input, {
      source: file,
      ...(options.simulate === undefined ? {} : { simulate: options.simulate }),
      ...(options.seed === undefined ? {} : { seed: options.seed }),
    });
    return await followRun(shell, { ...options, troupe, handle, workflow, fromStart: true });
  } finally {
    await troupe.close();
  }
}
