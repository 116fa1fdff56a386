import type { Plain } from '../core/plain.ts';
import type { AnswerChoice } from '../journal/recovery-record.ts';
import type { RunVerb } from '../supervisors/run/run-verb.ts';

/** What a person answers to a question; for `value` the task's output. */
export type QuestionAnswer = (
  | { readonly choice: Exclude<AnswerChoice, 'value'> }
  | { readonly choice: 'value'; readonly value: Plain }
) & { readonly by?: string; readonly note?: string };

/**
 * What a person may ask of a run besides its end. Each resolves when it is in the journal, and rejects with
 * TRP_RUN_ENDED, TRP_TASK_STATE, TRP_QUESTION_UNKNOWN or TRP_ANSWER_INVALID.
 */
export interface RunControls {
  /** Nothing new is dispatched; attempts that run end as they would. Nothing changes when the run is paused already. */
  pause(by?: string): Promise<void>;
  /** A paused run goes on; tasks that it was paused for fail. */
  resume(by?: string): Promise<void>;
  /** Tries a task once more that waits for a word, from the bottom of its ladder. */
  retry(task: string, by?: string): Promise<void>;
  /** Goes on without a task of which nothing runs; a default that it has stands in. */
  skip(task: string, by?: string): Promise<void>;
  /** Answers a question; its number is in the report. */
  answer(question: number, answer: QuestionAnswer): Promise<void>;
}

/** All verbs by one way to carry them out. */
export abstract class RunControlDesk implements RunControls {
  /** @internal */
  abstract carryOut(verb: RunVerb): Promise<void>;

  pause(by = 'user'): Promise<void> {
    return this.carryOut({ verb: 'pause', by });
  }

  resume(by = 'user'): Promise<void> {
    return this.carryOut({ verb: 'resume', by });
  }

  retry(task: string, by = 'user'): Promise<void> {
    return this.carryOut({ verb: 'retry', task, by });
  }

  skip(task: string, by = 'user'): Promise<void> {
    return this.carryOut({ verb: 'skip', task, by });
  }

  answer(question: number, answer: QuestionAnswer): Promise<void> {
    return this.carryOut({ ...answer, verb: 'answer', question, by: answer.by ?? 'user' });
  }
}
