import { TroupeError } from '../../core/errors.ts';
import type { Plain } from '../../core/plain.ts';
import type { ConflictAnswer } from '../../runtime/api.ts';
import { exitCodes } from '../exit-codes.ts';
import type { DataOptions } from '../options.ts';
import { writeJson } from '../output.ts';
import type { Shell } from '../shell.ts';
import { withStoredRun } from '../stored-runs.ts';

/** What `troupe answer` takes besides the run, the conflict and the choice. */
export interface AnswerOptions extends DataOptions {
  readonly json?: boolean;
  readonly value?: string;
}

/** What is answered, as written on the command line. */
export interface Answered {
  readonly run: string;
  readonly conflict: string;
  readonly choice: string | undefined;
}

/** `troupe answer RUN CONFLICT theirs|mine|--value JSON`: decides an open conflict, whichever process owns the run. */
export async function answer(
  shell: Shell,
  { run: named, conflict, choice }: Answered,
  options: AnswerOptions,
): Promise<number> {
  const id = Number(conflict);
  if (!Number.isInteger(id))
    throw invalid(`a conflict has a number, not ${JSON.stringify(conflict)}`);
  const decided = answerOf(choice, options);
  await withStoredRun(shell, { run: named, options }, async (troupe, run) => {
    await troupe.resolveConflict(run, id, decided);
    if (options.json === true)
      return writeJson(shell, { format: 1, run_id: run, conflict: id, choice: decided.choice });
    shell.out(`resolved  ${id}  ${decided.choice}\n`);
  });
  return exitCodes.ok;
}

function answerOf(choice: string | undefined, { value }: AnswerOptions): ConflictAnswer {
  const by = 'command line';
  if (value !== undefined && choice === undefined)
    return { choice: 'value', value: jsonOf(value), by };
  if ((choice === 'theirs' || choice === 'mine') && value === undefined) return { choice, by };
  throw invalid('the answer is theirs, mine, or --value with JSON');
}

function jsonOf(text: string): Plain {
  try {
    return JSON.parse(text) as Plain;
  } catch {
    throw invalid(`--value is not JSON: ${text}`);
  }
}

function invalid(message: string): TroupeError {
  return new TroupeError('TRP_OPTION_INVALID', message, {
    hint: 'See: troupe answer --help, and troupe show RUN --conflicts.',
  });
}
