import { TroupeError } from '../core/errors.ts';
import type { Plain } from '../core/plain.ts';
import type { MergerName } from '../workflow/model.ts';

/** One of two concurrent writes to a key. */
export interface KeyWrite {
  /** Undefined: the write deletes the key. */
  readonly value: Plain | undefined;
  readonly priority: number;
  readonly agent: string;
  /** Operation id; the last tie-break. */
  readonly op: string;
}

/** Two writes to one key: `mine` was made from `base`, and `theirs` was committed in between. */
export interface MergeQuestion {
  readonly rule: MergerName;
  /** What the key held when both began; undefined: nothing. */
  readonly base: Plain | undefined;
  readonly theirs: KeyWrite;
  readonly mine: KeyWrite;
}

/** The merged value, what did not make it into it, and whether the two writes collided. */
export interface MergeAnswer {
  /** Undefined: the key is to be absent. */
  readonly value: Plain | undefined;
  /** Null: nothing was dropped. */
  readonly dropped: Plain | null;
  readonly conflict: boolean;
}

/** Combines two concurrent writes to one key by the key's rule. */
export function mergeWrite(question: MergeQuestion): MergeAnswer {
  throw new TroupeError('TRP_INTERNAL', `Merging by ${question.rule} is not there yet.`);
}
