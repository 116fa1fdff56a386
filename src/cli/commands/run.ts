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
import type { Overrides } from '../workflow-file.ts';

/** What `troupe run` takes besides the file. */
export interface RunCommandOptions extends InputOptions, EngineOptions, OutputOptions, Overrides {
  readonly simulate?: boolean;
  readonly seed?: number;
  readonly quiet?: boolean;
}

/** `troupe run FILE`: starts a run and follows it to its end. */
export async function run(shell: Shell, file: string, options: RunCommandOptions): Promise<number> {
  const { warnings, workflow } = await openWorkflowFile(shell, file, options);
  const input = await readInputs(shell, options);
  for (const line of faultLines(warnings, painter(shell.colours.err), 'warning'))
    shell.err(`${line}\n`);
  const troupe = await shell.openTroupe(
    troupeOptions(
      shell,
      options.simulate === true ? { ...options, level: 'memory', bus: 'embedded' } : options,
    ),
  );
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
