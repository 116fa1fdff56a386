import { diff3Merge } from 'node-diff3';

/** Lines above which a text is not merged but taken whole: comparing grows with the product of equal lines. */
const maxLines = 10_000;

/** Lines of a text that did not make it into the merged one. */
export interface LostLines {
  /** Where they would have stood in the base, counted from 1. */
  readonly line: number;
  readonly text: string;
}

/** Two edits of one text. */
export interface TextEdits {
  readonly base: string;
  readonly winner: string;
  readonly loser: string;
}

/** The merged text, and what of the loser's edits is not in it. */
export interface MergedText {
  readonly text: string;
  readonly lost: readonly LostLines[];
}

/**
 * Three-way merge of two edits of one text, line by line (diff3; S. Khanna, K. Kunal, B. C. Pierce, "A formal
 * investigation of diff3", 2007). Edits that an unchanged line keeps apart are both kept; where two edits
 * touch, the winner's lines stand. Texts of more than 10,000 lines are taken whole.
 */
export function mergeText({ base, winner, loser }: TextEdits): MergedText {
  if (loser === base || winner === loser) return { text: winner, lost: [] };
  if (winner === base) return { text: loser, lost: [] };
  const [before, ours, others] = [base.split('\n'), winner.split('\n'), loser.split('\n')];
  if (Math.max(before.length, ours.length, others.length) > maxLines)
    return { text: winner, lost: [{ line: 1, text: loser }] };
  const lines: string[] = [];
  const lost: LostLines[] = [];
  for (const { ok, conflict } of diff3Merge<string>(ours, before, others)) {
    for (const line of ok ?? conflict?.a ?? []) lines.push(line);
    if (conflict) lost.push({ line: conflict.oIndex + 1, text: conflict.b.join('\n') });
  }
  return { text: lines.join('\n'), lost };
}
