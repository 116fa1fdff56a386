import type { Plain } from '../core/plain.ts';
import { byStrength, stronger } from './strength.ts';
import type { KeyWrite } from './strength.ts';
import { mergeText } from './text.ts';
import type { LostLines } from './text.ts';

/** A write and what it puts at a place; undefined: it deletes what is there. */
export interface Claim<Write extends KeyWrite> {
  readonly writer: Write;
  readonly value: Plain | undefined;
}

/** An edit of a text, folded into those that are stronger. */
export interface TextClaim<Write extends KeyWrite> {
  readonly writer: Write;
  readonly value: string;
  /** This edit and all stronger ones merged. */
  readonly merged: string;
  readonly lost: readonly LostLines[];
}

/**
 * One place of a value that somebody has changed: who wants what there.
 *
 * Invariants:
 * 1. It keeps the strongest write of each sort, whatever the order in which they came.
 * 2. `texts` is sorted, the strongest first, and each is folded into those before it.
 * 3. `children` hold what writers that merge key by key want inside; whether that shows is not theirs to say.
 */
export class Place<Write extends KeyWrite> {
  /** Whether the base holds a mapping here. */
  readonly keyed: boolean;
  /** A scalar, a list or bytes; or a deletion that does not go key by key. */
  whole: Claim<Write> | undefined;
  /** The strongest that put a mapping here, or changed the one that was here. */
  mapping: Write | undefined;
  /** The strongest that deleted a mapping, leaf by leaf. */
  deletion: Write | undefined;
  texts: readonly TextClaim<Write>[] = [];
  children: Map<string, Place<Write>> | undefined;

  constructor(keyed: boolean) {
    this.keyed = keyed;
  }

  /** The strongest of those that merge key by key. */
  get keyWriter(): Write | undefined {
    const { mapping, deletion } = this;
    return mapping && deletion ? stronger(mapping, deletion) : (mapping ?? deletion);
  }

  /** What shows: the sort of the strongest write. */
  get shown(): 'whole' | 'text' | 'keys' {
    const text = this.texts[0]?.writer;
    const keys = this.keyWriter;
    const whole = this.whole?.writer;
    let [sort, best] = ['whole' as 'whole' | 'text' | 'keys', whole];
    if (text && (!best || byStrength(text, best) < 0)) [sort, best] = ['text', text];
    if (keys && (!best || byStrength(keys, best) < 0)) sort = 'keys';
    return sort;
  }

  /** The strongest write of the sort that shows; undefined: nobody has been here. */
  get strongest(): Write | undefined {
    const sort = this.shown;
    if (sort === 'keys') return this.keyWriter;
    return sort === 'text' ? this.texts[0]?.writer : this.whole?.writer;
  }

  /** Takes an edit of the base's text in; gives those whose losses it changed, itself among them. */
  addText(base: string, { writer, value }: Claim<Write>): readonly TextClaim<Write>[] {
    const earlier = this.texts.filter((claim) => byStrength(claim.writer, writer) < 0);
    const weaker = this.texts.slice(earlier.length);
    if (weaker[0] && byStrength(weaker[0].writer, writer) === 0) return [];
    const folded = [...earlier];
    const changed: TextClaim<Write>[] = [];
    for (const claim of [{ writer, value: value as string, lost: [] }, ...weaker]) {
      const above = folded.at(-1)?.merged;
      const merged =
        above === undefined
          ? { text: claim.value, lost: [] }
          : mergeText({ base, winner: above, loser: claim.value });
      const next = { ...claim, merged: merged.text, lost: merged.lost };
      folded.push(next);
      if (!sameLines(next.lost, claim.lost)) changed.push(next);
    }
    this.texts = folded;
    return changed;
  }
}

function sameLines(a: readonly LostLines[], b: readonly LostLines[]): boolean {
  return a.length === b.length && a.every((lost, index) => lost.text === b[index]?.text);
}
