import { errorCodes } from '../core/errors.ts';
import type { ErrorCode } from '../core/errors.ts';
import { pathText } from '../core/plain.ts';
import { nearestName } from './distance.ts';

/** Where in a document something stands: keys and list indexes from the top. */
export type DocumentPath = readonly (string | number)[];

/** Something wrong with a document, at its place. */
export interface Fault {
  readonly code: ErrorCode;
  readonly message: string;
  /** Empty for a document that came as text or as an object. */
  readonly file: string;
  /** From 1; 0 when the document came as an object. */
  readonly line: number;
  /** From 1; 0 when the document came as an object. */
  readonly column: number;
  /** `tasks.a.needs[0]`; empty for the document as a whole. */
  readonly path: string;
  /** What to do about it. */
  readonly hint: string;
}

/** Line and column, both from 1; 0 where the text is not known. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Which end of an entry a fault points at. */
export type PointAt = 'key' | 'value';

/** Tells where a path stands in the text. */
export type Locate = (path: DocumentPath, point: PointAt) => Position;

/** Where a fault is, and what its finder knows besides. */
export interface FaultSite {
  readonly path: DocumentPath;
  /** Default: the code's own text. */
  readonly hint?: string | undefined;
  /** Default: value. */
  readonly point?: PointAt;
}

/** Comparisons of names that one validation spends on suggestions before it stops suggesting. */
const suggestionBudget = 50_000;

/** Faults beyond this number are not told: nobody reads them, and each costs. */
const maxFaults = 1000;

/** Names that a hint lists. */
const maxNamesTold = 8;

/** Collects the faults and warnings of one document and gives each its place. */
export class FaultList {
  readonly faults: Fault[] = [];
  readonly warnings: Fault[] = [];
  private readonly file: string;
  private readonly locate: Locate;
  private readonly muted = new Set<string>();
  private comparisonsLeft = suggestionBudget;

  constructor(file: string, locate: Locate) {
    this.file = file;
    this.locate = locate;
  }

  /** From now on, nothing is added at this place or below: it was cut out, and what follows from that is no news. */
  mute(path: DocumentPath): void {
    this.muted.add(JSON.stringify(path));
  }

  /** Whether {@link mute} was called for the place or one above it. */
  isMuted(path: DocumentPath): boolean {
    if (this.muted.size === 0) return false;
    return path.some((_, depth) => this.muted.has(JSON.stringify(path.slice(0, depth + 1))));
  }

  /** Adds a fault: the document will not run. After the first 1000 nothing is added. */
  add(code: ErrorCode, message: string, at: DocumentPath | FaultSite): void {
    this.addTo(this.faults, { code, message, site: siteOf(at) });
  }

  /** Adds a warning: the document runs. After the first 1000 nothing is added. */
  warn(code: ErrorCode, message: string, at: DocumentPath | FaultSite): void {
    this.addTo(this.warnings, { code, message, site: siteOf(at) });
  }

  /** `Did you mean "x"?`, or undefined when no candidate (of a list, or among a map's keys) is near. */
  suggest(
    name: string,
    candidates: readonly string[] | ReadonlyMap<string, unknown>,
  ): string | undefined {
    const count = 'size' in candidates ? candidates.size : candidates.length;
    if (this.comparisonsLeft < count || this.faults.length >= maxFaults) return undefined;
    this.comparisonsLeft -= count;
    const nearest = nearestName(name, 'size' in candidates ? candidates.keys() : candidates);
    return nearest === undefined ? undefined : `Did you mean "${nearest}"?`;
  }

  /** The nearest name as {@link suggest} tells it, else the names that there are: `Tasks here: a, b.` */
  suggestOrList(
    name: string,
    candidates: readonly string[] | ReadonlyMap<string, unknown>,
    title: string,
  ): string {
    const nearest = this.suggest(name, candidates);
    if (nearest !== undefined) return nearest;
    const names = 'size' in candidates ? candidates.keys() : candidates.values();
    return namesText([...take(names, maxNamesTold + 1)], title);
  }

  private addTo(list: Fault[], { code, message, site }: Finding): void {
    const { path, hint = errorCodes[code], point = 'value' } = site;
    if (list.length >= maxFaults || this.isMuted(path)) return;
    const { line, column } = this.locate(path, point);
    list.push({ code, message, file: this.file, line, column, path: pathText(path), hint });
  }
}

interface Finding {
  readonly code: ErrorCode;
  readonly message: string;
  readonly site: FaultSite;
}

function siteOf(at: DocumentPath | FaultSite): FaultSite {
  return 'path' in at ? at : { path: at };
}

function namesText(names: readonly string[], title: string): string {
  if (names.length === 0) return `There are no ${title.toLowerCase()} here.`;
  const more = names.length > maxNamesTold ? ' ...' : '.';
  return `${title} here: ${names.slice(0, maxNamesTold).join(', ')}${more}`;
}

function* take<T>(items: Iterable<T>, count: number): Iterable<T> {
  let left = count;
  for (const item of items) {
    if (left-- <= 0) return;
    yield item;
  }
}
