import type { Plain } from '../../core/plain.ts';
import type { AnswerChoice } from '../../journal/recovery-record.ts';

/** What a person may ask of a run, besides its end. */
export type RunVerb =
  | {
      readonly verb: 'answer';
      /** Number of the question. */
      readonly question: number;
      readonly choice: AnswerChoice;
      /** For the choice `value`: the task's output. */
      readonly value?: Plain;
      readonly note?: string;
      readonly by: string;
    }
  /** Start nothing new; what runs may end. */
  | { readonly verb: 'pause'; readonly by: string }
  /** Go on; tasks that the run was paused for fail. */
  | { readonly verb: 'resume'; readonly by: string }
  /** Try a task once more. */
  | { readonly verb: 'retry'; readonly task: string; readonly by: string }
  /** Go on without a task, or with its default. */
  | { readonly verb: 'skip'; readonly task: string; readonly by: string };
