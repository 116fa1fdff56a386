import { canonicalJson } from '../core/canonical.ts';
import type { Plain } from '../core/plain.ts';
import type { MergeType, MergerName } from '../workflow/model.ts';
import { asList, distinct, sameContent } from './content.ts';
import { LeafWinners } from './leaf-winners.ts';
import type { Loss, MergeStyle } from './leaf-winners.ts';
import { byStrength } from './strength.ts';
import type { KeyWrite } from './strength.ts';
import { mergeStructured } from './structured.ts';

export type { KeyWrite } from './strength.ts';

/** Two writes to one key: `mine` was made from `base`, and `theirs` was committed in between. */
export interface MergeQuestion {
  readonly rule: MergerName;
  /** For `three_way`: what is merged. Default auto. */
  readonly type?: MergeType | undefined;
  /** What the key held when both began; undefined: nothing. */
  readonly base: Plain | undefined;
  readonly theirs: KeyWrite;
  readonly mine: KeyWrite;
}

/** The merged value, what did not make it into it, and whether the two writes collided. */
export interface MergeAnswer {
  /** Undefined: the key is to be absent. */
  readonly value: Plain | undefined;
  /**
   * A whole write that was lost stands as its value; lost parts stand by JSON pointer. A deletion that was
   * not carried out is null there. Null: nothing was lost, or only a deletion of the key.
   */
  readonly dropped: Plain | null;
  readonly conflict: boolean;
}

type Merger = (question: MergeQuestion) => MergeAnswer;

const mergers: Readonly<Record<MergerName, Merger>> = {
  last_writer_wins: lastWriterWins,
  first_writer_wins: firstWriterWins,
  three_way: byPlace,
  priority_merge: byPlace,
  append,
  union,
  max: (question) => extreme(question, Math.max),
  min: (question) => extreme(question, Math.min),
  sum,
  reject,
  manual: firstWriterWins,
};

/**
 * Combines two concurrent writes to one key by the key's rule. Between clashing writers the higher priority
 * decides, then the smaller agent id, then the smaller operation id.
 *
 * - `last_writer_wins`: mine. `first_writer_wins`: both, when they changed different parts, else theirs.
 * - `three_way`: object keys are merged one by one and texts line by line, each clash is decided between the
 *   writers; `priority_merge` does so per leaf, also when one of them deleted what is around it.
 * - `append`: theirs, then what mine adds to the base. `union`: every item once: those of the base in its
 *   order, then the others in order of their canonical text. Neither carries out removals.
 * - `max`, `min`, `sum`: numbers; a sum adds both differences to the base. Other values are decided
 *   between the writers.
 * - `reject`: theirs stays, unless mine says the same. `manual`: as `first_writer_wins`, until a person decides.
 *
 * All but `last_writer_wins`, `first_writer_wins`, `manual`, `append` and `reject` give the same value whoever came first.
 */
export function mergeWrite(question: MergeQuestion): MergeAnswer {
  return mergers[question.rule](question);
}

function lastWriterWins({ base, theirs, mine }: MergeQuestion): MergeAnswer {
  const harmless = sameContent(theirs.value, mine.value) || sameContent(theirs.value, base);
  return harmless ? clean(mine.value) : lost(mine.value, theirs.value);
}

function firstWriterWins({ base, theirs, mine }: MergeQuestion): MergeAnswer {
  const { value, clashes } = mergeStructured({ base, winner: theirs.value, loser: mine.value });
  return clashes === 0 ? clean(value) : lost(theirs.value, mine.value);
}

/** How the rules that merge place by place do it; undefined: the rule does not. */
export function styleOf(rule: MergerName, type: MergeType = 'auto'): MergeStyle | undefined {
  if (rule === 'priority_merge') return { mappings: true, deletesByLeaf: true, texts: false };
  if (rule !== 'three_way') return undefined;
  return { mappings: type !== 'text', deletesByLeaf: false, texts: type !== 'structured' };
}

function byPlace({ rule, type, base, theirs, mine }: MergeQuestion): MergeAnswer {
  const style = styleOf(rule, type) as MergeStyle;
  const merging = new LeafWinners(base, style);
  const [first, second] = toldApart(theirs, mine);
  merging.add(first);
  const losses = merging.add(second);
  const dropped = droppedBy(losses);
  return { value: merging.value(), dropped, conflict: losses.length > 0 };
}

/** Two writes of one operation get operation ids in the order of what they say. */
function toldApart(theirs: KeyWrite, mine: KeyWrite): readonly [KeyWrite, KeyWrite] {
  if (byStrength(theirs, mine) !== 0) return [theirs, mine];
  const later = (write: KeyWrite): KeyWrite => ({ ...write, op: `${write.op}+` });
  return precedes(theirs, mine) ? [theirs, later(mine)] : [later(theirs), mine];
}

/** What was lost, as records tell it: a whole write as its value, parts by JSON pointer; a deletion is null. */
export function droppedBy(losses: readonly Pick<Loss<KeyWrite>, 'path' | 'value'>[]): Plain | null {
  const [first] = losses;
  if (first?.path === '') return first.value ?? null;
  if (!first) return null;
  return Object.fromEntries(losses.map(({ path, value }) => [path, value ?? null]));
}

function append({ base, theirs, mine }: MergeQuestion): MergeAnswer {
  const additions = notIn(asList(mine.value), asList(base));
  const value = additions.length === 0 ? theirs.value : [...asList(theirs.value), ...additions];
  return { value, dropped: null, conflict: deletionIgnored(base, mine, value) };
}

/** Items that are more often in `list` than in `base`, in order: the first occurrences count as the base's. */
function notIn(list: readonly Plain[], base: readonly Plain[]): Plain[] {
  const known = new Map<string, number>();
  for (const item of base) {
    const text = canonicalJson(item);
    known.set(text, (known.get(text) ?? 0) + 1);
  }
  return list.filter((item) => {
    const text = canonicalJson(item);
    const left = known.get(text) ?? 0;
    if (left > 0) known.set(text, left - 1);
    return left === 0;
  });
}

function union({ base, theirs, mine }: MergeQuestion): MergeAnswer {
  if (theirs.value === undefined && mine.value === undefined) return clean(undefined);
  const items = distinct([...asList(theirs.value), ...asList(mine.value)]);
  const known = distinct(asList(base));
  const kept = [...known.keys()].filter((text) => items.has(text));
  const added = [...items.keys()].filter((text) => !known.has(text)).sort();
  const value = [...kept, ...added].map((text) => items.get(text) as Plain);
  const ignored = deletionIgnored(base, mine, value) || deletionIgnored(base, theirs, value);
  return { value, dropped: null, conflict: ignored };
}

function extreme(question: MergeQuestion, better: (a: number, b: number) => number): MergeAnswer {
  const { base, theirs, mine } = question;
  if (theirs.value === undefined || mine.value === undefined) {
    // Not `??`: null is a value like others.
    const value = theirs.value === undefined ? mine.value : theirs.value;
    const ignored = deletionIgnored(base, mine, value) || deletionIgnored(base, theirs, value);
    return { value, dropped: null, conflict: ignored };
  }
  if (typeof theirs.value !== 'number' || typeof mine.value !== 'number') return decided(question);
  return clean(better(theirs.value, mine.value));
}

function sum(question: MergeQuestion): MergeAnswer {
  const { base, theirs, mine } = question;
  if (theirs.value === undefined && mine.value === undefined) return clean(undefined);
  const [their = 0, my = 0] = [theirs.value, mine.value];
  if (typeof their !== 'number' || typeof my !== 'number') return decided(question);
  const total = their + my - (typeof base === 'number' ? base : 0);
  // What is beyond the range of numbers is no plain data.
  return Number.isFinite(total) ? clean(total) : decided(question);
}

function reject({ theirs, mine }: MergeQuestion): MergeAnswer {
  return sameContent(theirs.value, mine.value)
    ? clean(theirs.value)
    : lost(theirs.value, mine.value);
}

/** One of the two writes, whole. */
function decided({ theirs, mine }: MergeQuestion): MergeAnswer {
  const [winner, loser] = byPrecedence(theirs, mine);
  return sameContent(winner.value, loser.value)
    ? clean(winner.value)
    : lost(winner.value, loser.value);
}

function byPrecedence(a: KeyWrite, b: KeyWrite): readonly [KeyWrite, KeyWrite] {
  return precedes(a, b) ? [a, b] : [b, a];
}

function precedes(a: KeyWrite, b: KeyWrite): boolean {
  const order = byStrength(a, b);
  if (order !== 0) return order < 0;
  // Two writes of one operation: whichever order, as long as it does not depend on who came first.
  return canonicalText(a.value) <= canonicalText(b.value);
}

function canonicalText(value: Plain | undefined): string {
  return value === undefined ? '' : canonicalJson(value);
}

/** The write deletes a key that was there, and the merged value is there all the same. */
function deletionIgnored(
  base: Plain | undefined,
  write: KeyWrite,
  value: Plain | undefined,
): boolean {
  return base !== undefined && write.value === undefined && value !== undefined;
}

function clean(value: Plain | undefined): MergeAnswer {
  return { value, dropped: null, conflict: false };
}

function lost(value: Plain | undefined, dropped: Plain | undefined): MergeAnswer {
  return { value, dropped: dropped ?? null, conflict: true };
}
