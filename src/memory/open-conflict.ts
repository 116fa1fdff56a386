import { contentHash } from '../core/canonical.ts';
import type { Plain } from '../core/plain.ts';
import type { OpenConflict, OpenSide } from '../journal/record.ts';
import { mergeStructured } from '../results/structured.ts';

/** Two edits of one value between which a person is to decide. */
interface Edits {
  readonly base: Plain | undefined;
  readonly theirs: Plain | undefined;
  readonly mine: Plain | undefined;
}

/**
 * What a person is offered: what the key holds, and what it would hold if mine decided wherever the two clash,
 * so that choosing mine does not undo what theirs changed elsewhere.
 */
export function openConflict({ base, theirs, mine }: Edits): OpenConflict {
  const mineFirst = mergeStructured({ base, winner: mine, loser: theirs }).value;
  return { theirs: sideOf(theirs), mine: sideOf(mineFirst) };
}

function sideOf(value: Plain | undefined): OpenSide {
  return value === undefined ? { deleted: true } : { value, hash: contentHash(value) };
}
