import type { AnswerChoice } from '../../journal/recovery-record.ts';
import type { TaskSpec } from '../../workflow/model.ts';

/** What a person may answer when a task has failed; a default can be used only where one is declared. */
export function choicesFor(task: TaskSpec): readonly AnswerChoice[] {
  const always: readonly AnswerChoice[] = ['retry', 'value', 'skip', 'fail', 'cancel'];
  return task.default === undefined ? always : [...always, 'use_default'];
}
