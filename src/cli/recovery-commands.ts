import type { Command } from 'commander';
import type { RetryOptions } from './commands/retry.ts';
import type { DataOptions } from './options.ts';
import type { Shell } from './shell.ts';

/** Where a command line meets its commands. */
interface Wiring {
  readonly program: Command;
  readonly shell: Shell;
  readonly finish: (exitCode: number) => void;
}

/** How options that many commands share are added. */
export interface SharedOptions {
  /** For a command that works with a stored run. */
  readonly stored: (command: Command) => Command;
  /** For a command that carries a run. */
  readonly engine: (command: Command) => Command;
}

type JsonOption = DataOptions & { readonly json?: boolean };

const runArgument = 'id of the run, its beginning or its end, or: last';

function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ ${line}`).join('\n')}\n`;
}

/** Adds `troupe pause`, `skip`, `retry` and `fork`. */
export function addRecovery(wiring: Wiring, options: SharedOptions): void {
  const { program, shell, finish } = wiring;
  options
    .stored(program.command('pause').description('start nothing new in a run; what runs may end'))
    .argument('<run>', runArgument)
    .option('--json', 'print what was done as JSON')
    .addHelpText('after', examples('troupe pause last', 'troupe resume last'))
    .action(async (run: string, given: JsonOption) =>
      finish(await (await import('./commands/pause.ts')).pause(shell, run, given)),
    );
  options
    .stored(
      program
        .command('skip')
        .description('go on without a task, or with its default, while nothing of it runs'),
    )
    .argument('<run>', runArgument)
    .argument('<task>', 'id of the task')
    .option('--json', 'print what was done as JSON')
    .addHelpText('after', examples('troupe skip last review'))
    .action(async (run: string, task: string, given: JsonOption) =>
      finish(await (await import('./commands/pause.ts')).skip(shell, { run, task }, given)),
    );
  addCarrying(wiring, options);
}

function addCarrying({ program, shell, finish }: Wiring, { engine }: SharedOptions): void {
  engine(
    program
      .command('retry')
      .description('try a task once more: one that waits for a word, or one of an ended run'),
  )
    .argument('<run>', runArgument)
    .argument('<task>', 'id of the task')
    .addHelpText('after', examples('troupe retry last review'))
    .action(async (run: string, task: string, given: RetryOptions) =>
      finish(await (await import('./commands/retry.ts')).retry(shell, { run, task }, given)),
    );
  engine(
    program
      .command('fork')
      .description('a new run that takes over the results of another one, except from a task on'),
  )
    .argument('<run>', runArgument)
    .requiredOption('--from <task>', 'the first task that is done anew')
    .addHelpText('after', examples('troupe fork last --from review'))
    .action(async (run: string, given: RetryOptions & { readonly from: string }) =>
      finish(
        await (await import('./commands/retry.ts')).fork(shell, { run, task: given.from }, given),
      ),
    );
}
