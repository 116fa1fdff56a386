import type { Plain, PlainObject } from '../../core/plain.ts';
import type { AnswerChoice } from '../../journal/recovery-record.ts';
import type { RunVerb } from '../../supervisors/run/run-verb.ts';
import { malformed } from './request.ts';

const choices: readonly AnswerChoice[] = [
  'retry',
  'skip',
  'use_default',
  'fail',
  'cancel',
  'value',
];

/**
 * A verb out of a request: `{task}` for retry and skip, `{question, choice, value, note}` for answer, and `{by}` for all.
 * @param by who asks, where the request does not say.
 * @throws TroupeError TRP_CONTROL_REQUEST that names the member at fault.
 */
export function verbOf(verb: RunVerb['verb'], payload: Plain, by: string): RunVerb {
  const fields = (payload ?? {}) as Partial<PlainObject>;
  const who = typeof fields['by'] === 'string' ? fields['by'] : by;
  switch (verb) {
    case 'pause':
    case 'resume':
      return { verb, by: who };
    case 'retry':
    case 'skip':
      if (typeof fields['task'] !== 'string') throw malformed('`task` must be the id of a task');
      return { verb, task: fields['task'], by: who };
    case 'answer':
      return answerOf(fields, who);
  }
}

/** The request that asks for a verb; read back by {@link verbOf}. */
export function payloadOf(verb: RunVerb): PlainObject {
  return { ...verb };
}

function answerOf({ question, choice, value, note }: Partial<PlainObject>, by: string): RunVerb {
  if (typeof question !== 'number') throw malformed('`question` must be the number of a question');
  const known = choices.find((one) => one === choice);
  if (!known) throw malformed(`\`choice\` must be one of ${choices.join(', ')}`);
  if (choice === 'value' && value === undefined)
    throw malformed('the choice `value` needs a `value`');
  return {
    verb: 'answer',
    question,
    choice: known,
    ...(choice === 'value' && value !== undefined && { value }),
    ...(typeof note === 'string' && { note }),
    by,
  };
}
