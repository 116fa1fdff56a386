import { mergeText } from './text.ts';
import type { LostLines } from './text.ts';

/** What one task left of a file. */
export interface FileVersion {
  readonly task: string;
  readonly agent: string;
  readonly bytes: Uint8Array;
}

/** A file as several have left it. */
export interface FileQuestion {
  /** The strongest first. */
  readonly versions: readonly FileVersion[];
  /** What all of them began from; undefined: nothing, or it is not known any more. */
  readonly base: Uint8Array | undefined;
  /** What somebody else has put at the target since the tasks began; undefined: nobody has. */
  readonly there: Uint8Array | undefined;
}

/** A version that did not make it into the merged file, or not whole. */
export interface FileConflict {
  readonly loser: FileVersion;
  /** Undefined: whoever changed the target meanwhile. */
  readonly winner: FileVersion | undefined;
  /** Of a text; empty: the version was dropped whole. */
  readonly lost: readonly LostLines[];
}

/** What the target becomes; undefined: it stays as it is. */
export interface FileAnswer {
  readonly bytes: Uint8Array | undefined;
  readonly conflicts: readonly FileConflict[];
}

/**
 * Merges what several tasks have made of one file. Texts that began from one base are merged line by line; of
 * anything else, and of lines that two changed, the strongest stands. What somebody else has put at the target
 * meanwhile is stronger than all of them, since nobody asked about it.
 */
export function mergeFile({ versions, base, there }: FileQuestion): FileAnswer {
  const [first, ...weaker] = versions;
  if (!first) return { bytes: undefined, conflicts: [] };
  const conflicts: FileConflict[] = [];
  let bytes = first.bytes;
  for (const loser of weaker) {
    const merged = merge(base, bytes, loser.bytes);
    if (merged.lost) conflicts.push({ loser, winner: first, lost: merged.lost });
    bytes = merged.bytes;
  }
  if (!there) return { bytes, conflicts };
  const merged = merge(base, there, bytes);
  if (merged.lost)
    conflicts.push({ loser: { ...first, bytes }, winner: undefined, lost: merged.lost });
  return { bytes: isSame(merged.bytes, there) ? undefined : merged.bytes, conflicts };
}

interface Merged {
  readonly bytes: Uint8Array;
  /** Undefined: nothing was lost; empty: all of the loser. */
  readonly lost: readonly LostLines[] | undefined;
}

function merge(base: Uint8Array | undefined, winner: Uint8Array, loser: Uint8Array): Merged {
  if (isSame(winner, loser) || (base && isSame(loser, base)))
    return { bytes: winner, lost: undefined };
  if (base && isSame(winner, base)) return { bytes: loser, lost: undefined };
  const [before, ours, others] = [base && textOf(base), textOf(winner), textOf(loser)];
  if (before === undefined || ours === undefined || others === undefined)
    return { bytes: winner, lost: [] };
  const { text, lost } = mergeText({ base: before, winner: ours, loser: others });
  return { bytes: Buffer.from(text, 'utf8'), lost: lost.length > 0 ? lost : undefined };
}

/** Undefined: it is no UTF-8 text. */
function textOf(bytes: Uint8Array): string | undefined {
  if (bytes.includes(0)) return undefined;
  const text = Buffer.from(bytes).toString('utf8');
  return isSame(Buffer.from(text, 'utf8'), bytes) ? text : undefined;
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
