import { TroupeError } from '../../core/errors.ts';
import type { Plain } from '../../core/plain.ts';
import type { ConflictAnswer, Troupe } from '../../runtime/api.ts';
import type { QuestionAnswer } from '../../runtime/run-controls.ts';
import { exitCodes } from '../exit-codes.ts';
import type { DataOptions } from '../options.ts';
import { writeJson } from '../output.ts';
import type { Shell } from '../shell.ts';
import { withStoredRun } from '../stored-runs.ts';

/** What `troupe answer` takes besides the run, the conflict and the choice. */
export interface AnswerOptions extends DataOptions {
  readonly json?: boolean;
  readonly value?: string;
  readonly note?: string;
}

/** What is answered, as written on the command line. */
export interface Answered {
  readonly run: string;
  readonly conflict: string;
  readonly choice: string | undefined;
}

/**
 * `troupe answer RUN NUMBER CHOICE`: answers an open question (retry, skip, use_default, fail, cancel, or `--value` with
 * the task's output), or decides an open conflict (theirs, mine, or `--value`), whichever process owns the run.
 */
export async function answer(
  shell: Shell,
  { run: named, conflict, choice }: Answered,
  options: AnswerOptions,
): Promise<number> {
  const id = Number(conflict);
  if (!Number.isInteger(id))
    throw invalid(`a question or a conflict has a number, not ${JSON.stringify(conflict)}`);
  // What neither a question nor a conflict takes is refused before the run is looked for.
  const isWord = options.value === undefined && questionChoices.some((one) => one === choice);
  if (!isWord) answerOf(choice, options);
  await withStoredRun(shell, { run: named, options }, async (troupe, run) => {
    const { recovery } = await troupe.show(run);
    // A word that only questions take is refused by the run itself, which knows that the question is closed.
    if (isWord || recovery.questions.some((question) => question.id === id))
      return answerQuestion(shell, { troupe, run, id, choice }, options);
    const decided = answerOf(choice, options);
    if (choice === undefined && !(await isOpenConflict(troupe, run, id)))
      throw unknownNumber(run, id);
    await troupe.resolveConflict(run, id, decided);
    if (options.json === true)
      return writeJson(shell, { format: 1, run_id: run, conflict: id, choice: decided.choice });
    shell.out(`resolved  ${id}  ${decided.choice}\n`);
  });
  return exitCodes.ok;
}

async function isOpenConflict(troupe: Troupe, run: string, id: number): Promise<boolean> {
  const records = await troupe.records(run);
  return records.some(({ seq, type }) => seq === id && type === 'conflict.recorded');
}

/** A value answers questions and conflicts alike, so the number must be that of one of them. */
function unknownNumber(run: string, id: number): TroupeError {
  return new TroupeError('TRP_QUESTION_UNKNOWN', `Run ${run} has no open question ${id}.`, {
    place: run,
    hint: 'troupe show RUN lists open questions, troupe show RUN --conflicts open conflicts.',
  });
}

interface Question {
  readonly troupe: Troupe;
  readonly run: string;
  readonly id: number;
  readonly choice: string | undefined;
}

async function answerQuestion(
  shell: Shell,
  { troupe, run, id, choice }: Question,
  options: AnswerOptions,
): Promise<void> {
  const decided = questionAnswer(choice, options);
  await troupe.answer(run, id, decided);
  if (options.json === true)
    return writeJson(shell, { format: 1, run_id: run, question: id, choice: decided.choice });
  const { owner } = (await troupe.runs()).find(({ run_id }) => run_id === run) ?? {};
  const goOn = owner ? '' : `to go on: troupe resume ${run}\n`;
  shell.out(`answered  ${id}  ${decided.choice}\n${goOn}`);
}

function questionAnswer(
  choice: string | undefined,
  { note, value }: AnswerOptions,
): QuestionAnswer {
  const who = { by: 'command line', ...(note !== undefined && { note }) };
  if (value !== undefined && choice === undefined)
    return { choice: 'value', value: jsonOf(value), ...who };
  const known = questionChoices.find((one) => one === choice);
  if (known !== undefined && value === undefined) return { choice: known, ...who };
  throw invalid(`the answer is one of ${questionChoices.join(', ')}, or --value with JSON`);
}

const questionChoices = ['retry', 'skip', 'use_default', 'fail', 'cancel'] as const;

function answerOf(choice: string | undefined, { value }: AnswerOptions): ConflictAnswer {
  const by = 'command line';
  if (value !== undefined && choice === undefined)
    return { choice: 'value', value: jsonOf(value), by };
  if ((choice === 'theirs' || choice === 'mine') && value === undefined) return { choice, by };
  const words = [...questionChoices, 'theirs, mine'].join(', ');
  throw invalid(`an answer is one of ${words} (of a conflict), or --value with JSON`);
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
    hint: 'troupe show RUN lists open questions, troupe show RUN --conflicts open conflicts.',
  });
}
