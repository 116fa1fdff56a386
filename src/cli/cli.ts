import { CommanderError } from 'commander';
import { TroupeError } from '../core/errors.ts';
import { exitCodes } from './exit-codes.ts';
import { buildProgram } from './program.ts';
import type { Shell } from './shell.ts';

/** Runs one command line (without node and script) to its end; gives the exit code. Never throws. */
export async function runCli(
  shell: Shell,
  args: readonly string[],
  version: string,
): Promise<number> {
  let exitCode: number = exitCodes.ok;
  const program = buildProgram(shell, version, (code) => (exitCode = code));
  try {
    await program.parseAsync(args.length === 0 ? ['--help'] : [...args], { from: 'user' });
    return exitCode;
  } catch (thrown) {
    if (thrown instanceof CommanderError && thrown.exitCode === 0) return exitCodes.ok;
    const failure = thrown instanceof CommanderError ? usageError(thrown, args) : thrown;
    const { reportFailure } = await import('./failures.ts');
    return reportFailure(shell, failure, wantsJson(args));
  }
}

/** What the parser of the command line found, as an error like any other. */
function usageError(error: CommanderError, args: readonly string[]): TroupeError {
  const [message = '', suggestion] = error.message.replace(/^error: /, '').split('\n');
  const command = args.find((arg) => !arg.startsWith('-'));
  const help =
    command === undefined || error.code === 'commander.unknownCommand'
      ? 'troupe --help'
      : `troupe ${command} --help`;
  const hint =
    suggestion === undefined
      ? `See ${help}.`
      : `${suggestion.replace(/^\(|\)$/g, '')} See ${help}.`;
  return new TroupeError('TRP_OPTION_INVALID', message, { hint });
}

function wantsJson(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  const options = end === -1 ? args : args.slice(0, end);
  return options.includes('--json') || options.includes('--jsonl');
}
