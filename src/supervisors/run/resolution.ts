import type { Plain } from '../../core/plain.ts';
import type { ConflictResolved } from '../../journal/record.ts';

/** What a person decided about an open conflict. */
export interface Resolution {
  /** Number of its record. */
  readonly conflict: number;
  readonly choice: ConflictResolved['choice'];
  /** For the choice `value`. */
  readonly value?: Plain;
  readonly by: string;
}
