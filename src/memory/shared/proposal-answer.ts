import { errorInfo } from '../../core/errors.ts';
import type { ErrorInfo } from '../../core/errors.ts';
import type { ConflictRecorded, MemoryChange } from '../../journal/record.ts';

/** What the owner of a memory says of a changeset that is committed. */
export interface Decided {
  readonly revision: number;
  /** What keys were given; without those whose merged value is too large to be told, which every copy makes by itself. */
  readonly changes: readonly MemoryChange[];
  readonly conflicts: readonly ConflictRecorded[];
}

/** What the owner of a memory says of one proposal. */
export type ProposalAnswer = Decided | { readonly refused: ErrorInfo };

/** The words of a refusal. */
export function refusal(error: unknown): ProposalAnswer {
  return { refused: errorInfo(error) };
}
