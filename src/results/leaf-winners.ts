import type { Plain, PlainObject } from '../core/plain.ts';
import { isPlainObject, sameContent } from './content.ts';
import { Place } from './place.ts';
import { byStrength, stronger } from './strength.ts';
import type { KeyWrite } from './strength.ts';

/** How concurrent writes of one value go together. */
export interface MergeStyle {
  /** Mappings are merged key by key; else they are taken whole. */
  readonly mappings: boolean;
  /** Deleting a mapping counts for each leaf of its own; else it clashes with every change inside. */
  readonly deletesByLeaf: boolean;
  /** Edits of a text are merged line by line; else texts are taken whole. */
  readonly texts: boolean;
}

/** What one write lost to another. */
export interface Loss<Write extends KeyWrite> {
  readonly winner: Write;
  readonly loser: Write;
  /** JSON pointer (RFC 6901) of the place; empty: the whole value. */
  readonly path: string;
  /** What the loser wanted there, of a text the lines that were lost; undefined: to delete it. */
  readonly value: Plain | undefined;
}

/**
 * The value that concurrent writes from one base give together. At each place the strongest write decides;
 * what weaker ones want elsewhere is kept. A write costs what it changes, however many came before it.
 *
 * Invariants:
 * 1. The value depends on the base and the set of writes, not on their order; a write that comes twice counts once.
 * 2. Every part of the value is the base's, or was written by the strongest of those that changed that place.
 * 3. A part that is covered by a stronger scalar is kept, and shows again when a still stronger mapping comes.
 */
export class LeafWinners<Write extends KeyWrite> {
  private readonly base: Plain | undefined;
  private readonly style: MergeStyle;
  private root: Place<Write> | undefined;
  private losses: Loss<Write>[] = [];
  private readonly path: string[] = [];
  private changes = 0;
  private count = 0;

  constructor(base: Plain | undefined, style: MergeStyle) {
    this.base = base;
    this.style = style;
  }

  /** Places that somebody has changed. */
  get places(): number {
    return this.count;
  }

  /** Takes a write in; tells what it lost, and what others lost to it. */
  add(write: Write): readonly Loss<Write>[] {
    this.losses = [];
    this.root = this.visit(this.root, {
      write,
      base: this.base,
      value: write.value,
      covered: false,
    });
    return this.losses;
  }

  /** The merged value; undefined: absent. Costs what the value is large. */
  value(): Plain | undefined {
    return this.root ? valueAt(this.root, this.base) : this.base;
  }

  private visit(at: Place<Write> | undefined, visit: Visit<Write>): Place<Write> | undefined {
    const { base, value } = visit;
    if (value === base) return at;
    if (this.goesByKey(base, value)) return this.claimKeys(at, visit);
    if (isSameLeaf(base, value)) return at;
    return this.claimWhole(at ?? this.newPlace(base), visit);
  }

  private goesByKey(base: Plain | undefined, value: Plain | undefined): boolean {
    const { mappings, deletesByLeaf } = this.style;
    if (!mappings) return false;
    return isPlainObject(value) || (value === undefined && deletesByLeaf && isPlainObject(base));
  }

  private claimKeys(at: Place<Write> | undefined, visit: Visit<Write>): Place<Write> | undefined {
    const { write, base, value, covered } = visit;
    const place = at ?? new Place<Write>(isPlainObject(base));
    const isOpen = at?.strongest === undefined || at.shown === 'keys';
    const before = this.changes;
    this.visitKeys(place, { ...visit, covered: covered || !isOpen });
    if (value !== undefined && place.keyed && this.changes === before) return at;
    if (!at) this.count++;
    if (!covered && !isOpen) this.meetWhole(place, visit);
    this.claimKeysFor(place, write, value === undefined ? 'deletion' : 'mapping');
    return place;
  }

  private claimKeysFor(place: Place<Write>, write: Write, as: 'deletion' | 'mapping'): void {
    const held = place[as];
    place[as] = held ? stronger(held, write) : write;
    this.changes++;
  }

  private visitKeys(place: Place<Write>, visit: Visit<Write>): void {
    const base = isPlainObject(visit.base) ? visit.base : undefined;
    const value = visit.value as PlainObject | undefined;
    for (const key of Object.keys(value ?? {})) {
      const held = base && Object.hasOwn(base, key) ? base[key] : undefined;
      this.visitKey(place, key, { ...visit, base: held, value: value?.[key] });
    }
    for (const key of Object.keys(base ?? {})) {
      if (value && Object.hasOwn(value, key)) continue;
      this.visitKey(place, key, { ...visit, base: base?.[key], value: undefined });
    }
  }

  private visitKey(place: Place<Write>, key: string, visit: Visit<Write>): void {
    if (visit.value === visit.base) return;
    const known = place.children?.get(key);
    this.path.push(key);
    const child = this.visit(known, visit);
    this.path.pop();
    if (!child || child === known) return;
    place.children ??= new Map();
    place.children.set(key, child);
  }

  private claimWhole(place: Place<Write>, visit: Visit<Write>): Place<Write> {
    const { write, base, value } = visit;
    const isText = this.style.texts && typeof base === 'string' && typeof value === 'string';
    if (!visit.covered && !(isText && place.shown === 'text')) this.meet(place, visit);
    if (isText) this.addText(place, visit);
    else if (!place.whole || byStrength(write, place.whole.writer) < 0)
      place.whole = { writer: write, value };
    this.changes++;
    return place;
  }

  private addText(place: Place<Write>, { write, base, value, covered }: Visit<Write>): void {
    const before = place.texts[0]?.writer;
    for (const { writer, lost } of place.addText(base as string, { writer: write, value })) {
      if (covered || place.shown !== 'text' || lost.length === 0 || !before) continue;
      const winner = writer === write ? before : write;
      const lines = lost.map(({ line, text }) => ({ line, text }));
      this.losses.push({ winner, loser: writer, path: this.pointer(), value: lines });
    }
  }

  /** Somebody had put something whole where this write merges key by key. */
  private meetWhole(place: Place<Write>, { write, value }: Visit<Write>): void {
    const theirs = place.strongest;
    if (!theirs || byStrength(write, theirs) === 0) return;
    if (byStrength(write, theirs) > 0) return this.lose(theirs, write, value);
    if (place.shown === 'whole') return this.lose(write, theirs, place.whole?.value);
    for (const { writer, value: text } of place.texts) this.lose(write, writer, text);
  }

  private meet(place: Place<Write>, { write, value }: Visit<Write>): void {
    const theirs = place.strongest;
    if (!theirs) return;
    const { shown } = place;
    if (shown === 'whole' && isSameLeaf(place.whole?.value, value)) return;
    if (byStrength(write, theirs) > 0) return this.lose(theirs, write, value);
    if (shown === 'whole') return this.lose(write, theirs, place.whole?.value);
    for (const loser of writersWithin(place)) this.lose(write, loser, this.wanted(loser));
  }

  private lose(winner: Write, loser: Write, value: Plain | undefined): void {
    this.losses.push({ winner, loser, path: this.pointer(), value });
  }

  /** What a write holds at the place that is being visited. */
  private wanted({ value }: Write): Plain | undefined {
    let found = value;
    for (const key of this.path)
      found = isPlainObject(found) && Object.hasOwn(found, key) ? found[key] : undefined;
    return found;
  }

  private pointer(): string {
    return this.path.map((key) => `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
  }

  private newPlace(base: Plain | undefined): Place<Write> {
    this.count++;
    return new Place(isPlainObject(base));
  }
}

/** A write at one place on its way through a value. */
interface Visit<Write extends KeyWrite> {
  readonly write: Write;
  readonly base: Plain | undefined;
  readonly value: Plain | undefined;
  /** Further out something stronger stands: what happens here does not show. */
  readonly covered: boolean;
}

/** Whether two values, of which the second is no mapping to go through, have the same content. */
function isSameLeaf(a: Plain | undefined, b: Plain | undefined): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  return Array.isArray(a) === Array.isArray(b) && sameContent(a, b);
}

function valueAt<Write extends KeyWrite>(
  place: Place<Write>,
  base: Plain | undefined,
): Plain | undefined {
  switch (place.shown) {
    case 'whole':
      return place.whole?.value;
    case 'text':
      return place.texts.at(-1)?.merged;
    case 'keys':
      return mappingAt(place, base);
  }
}

function mappingAt<Write extends KeyWrite>(
  place: Place<Write>,
  base: Plain | undefined,
): Plain | undefined {
  const { keyed, children, deletion } = place;
  const held = keyed ? (base as PlainObject) : {};
  const entries: [string, Plain][] = [];
  for (const [key, value] of Object.entries(held)) {
    const child = children?.get(key);
    const now = child ? valueAt(child, value) : value;
    if (now !== undefined) entries.push([key, now]);
  }
  for (const [key, child] of children ?? []) {
    if (Object.hasOwn(held, key)) continue;
    const value = valueAt(child, undefined);
    if (value !== undefined) entries.push([key, value]);
  }
  if (deletion && entries.length === 0) return undefined;
  return Object.freeze(Object.fromEntries(entries));
}

/** Those whose changes show at a place or inside of it. */
function writersWithin<Write extends KeyWrite>(place: Place<Write>): ReadonlySet<Write> {
  const found = new Set<Write>();
  collectWriters(place, found);
  return found;
}

function collectWriters<Write extends KeyWrite>(place: Place<Write>, found: Set<Write>): void {
  const { shown, strongest } = place;
  if (shown === 'text') for (const { writer } of place.texts) found.add(writer);
  else if (shown === 'keys' && place.children)
    for (const child of place.children.values()) collectWriters(child, found);
  else if (strongest) found.add(strongest);
}
