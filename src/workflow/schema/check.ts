import type { z } from 'zod';
import type { Plain } from '../../core/plain.ts';
import type { DocumentPath, FaultList } from '../fault.ts';
import { isUnsupportedKey, isUnsupportedValue } from '../unsupported.ts';
import { blockMark, keysOfBlock } from './block.ts';
import { documentSchema } from './document.ts';
import { kindName } from './names.ts';
import { addStrayFault, isEntry, ownerOf, strayEntry } from './stray-keys.ts';
import type { EntryPlace } from './stray-keys.ts';

/** A document whose shape is right: canonical keys, values still as written. */
export type CheckedDocument = z.output<typeof documentSchema>;

/** Times that faulty parts are cut out to look at the rest. */
const maxRounds = 12;

/**
 * Checks the shape of a document. Every fault is told; the parts at fault are then cut out, so that the
 * checks of meaning see the rest. Undefined when nothing checkable is left.
 */
export function checkShape(document: Plain, faults: FaultList): CheckedDocument | undefined {
  let rest = structuredClone(document) as unknown;
  cutResources(rest, faults);
  for (let round = 0; round < maxRounds; round++) {
    const checked = documentSchema.safeParse(rest);
    if (checked.success) return checked.data;
    const issues = flatten(checked.error.issues, []);
    if (round === 0) addFaults(issues, rest, faults);
    rest = cutAll(rest, { issues, round, faults });
  }
  return undefined;
}

/** Resource kinds have free names, so the schema would take these for kinds. */
function cutResources(document: unknown, faults: FaultList): void {
  const resources = valueAt(document, ['resources']);
  if (typeof resources !== 'object' || resources === null) return;
  for (const key of Object.keys(resources)) {
    const path = ['resources', key];
    if (isUnsupportedKey('resources', key)) addUnsupportedKey(path, faults);
    else if (kindName.safeParse(key).success) continue;
    else addNameFault(path, faults);
    remove(document, path);
  }
}

/** One fault for each issue; but only one for all of an entry that looks like a key of the entry above it. */
function addFaults(issues: readonly Issue[], document: unknown, faults: FaultList): void {
  const strays = new Map<string, EntryPlace>();
  const others: Issue[] = [];
  for (const issue of issues) {
    const entry = strayEntry(issue.path as DocumentPath);
    if (entry && !isEntry(valueAt(document, entry))) strays.set(entry.join('.'), entry);
    else others.push(issue);
  }
  const namesIn = (section: string): readonly string[] =>
    Object.keys(valueAt(document, [section]) ?? {});
  const emptied = [...strays.values()].map((entry) => ownerOf(entry, namesIn(entry[0])));
  for (const issue of others) {
    const isEmptied = issue.path.length === 2 && emptied.includes(String(issue.path[1]));
    if (!isEmptied || valueAt(document, issue.path) !== null)
      addFault(issue, document, { issues, faults });
  }
  for (const entry of strays.values()) addStrayFault(entry, namesIn(entry[0]), faults);
  for (const entry of strays.values()) remove(document, entry);
}

function addUnsupportedKey(path: DocumentPath, faults: FaultList): void {
  faults.add(
    'TRP_WORKFLOW_UNSUPPORTED',
    `"${String(path.at(-1))}" is not supported in this version`,
    { path, point: 'key' },
  );
}

interface Cut {
  readonly issues: readonly Issue[];
  readonly round: number;
  readonly faults: FaultList;
}

/** Cuts from the end of the document, so that indexes of lists still hold; each place once. */
function cutAll(document: unknown, { issues, round, faults }: Cut): unknown {
  let rest = document;
  const done = new Set<string>();
  for (const issue of [...issues].reverse()) {
    const place = JSON.stringify(issue.path);
    if (!done.has(place)) rest = cutOut(rest, issue, round);
    if (issue.code !== 'unrecognized_keys') done.add(place);
    if (issue.code !== 'unrecognized_keys') muteCut(pathToCut(issue, round), faults);
  }
  return rest;
}

/** What was cut, and what stands in a list that lost an item, can no longer be pointed at, nor can it be judged. */
function muteCut(path: DocumentPath, faults: FaultList): void {
  if (path.length === 0) faults.mute(['tasks']);
  else faults.mute(typeof path.at(-1) === 'number' ? path.slice(0, -1) : path);
}

/** In the first round the place at fault itself, then one level more each time. */
function pathToCut(issue: Issue, round: number): DocumentPath {
  return issue.path.slice(0, Math.max(0, issue.path.length - round)) as DocumentPath;
}

type Issue = z.core.$ZodIssue;

/** Issues with paths from the top; of a union's branches only the one that the value was probably meant for. */
function flatten(issues: readonly Issue[], base: readonly PropertyKey[]): readonly Issue[] {
  return withoutEchoes(issues).flatMap((issue): readonly Issue[] => {
    const path = [...base, ...issue.path];
    const branch = issue.code === 'invalid_union' ? likelyBranch(issue.errors) : undefined;
    return branch ? flatten(branch, path) : [{ ...issue, path }];
  });
}

/** The only branch whose outer shape fits: a mapping for a mapping, a list for a list. */
function likelyBranch(branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  const fitting = branches
    .map(withoutEchoes)
    .filter((issues) => issues.length > 0 && !issues.some(isOuter));
  return fitting.length === 1 ? fitting[0] : undefined;
}

/** What a mapping as a whole lacks is no news when one of its keys is misspelled. */
function withoutEchoes(issues: readonly Issue[]): readonly Issue[] {
  const misspelled = issues
    .filter(({ code }) => code === 'unrecognized_keys')
    .map(({ path }) => JSON.stringify(path));
  return issues.filter(
    ({ code, path }) => code !== 'custom' || !misspelled.includes(JSON.stringify(path)),
  );
}

function isOuter(issue: Issue): boolean {
  return issue.path.length === 0 && issue.code !== 'unrecognized_keys';
}

interface Findings {
  readonly issues: readonly Issue[];
  readonly faults: FaultList;
}

/** Whether a key that is missing stands there in another spelling, which has a fault of its own. */
function isMisspelt(key: string, path: DocumentPath, { issues, faults }: Findings): boolean {
  const place = JSON.stringify(path.slice(0, -1));
  return issues.some(
    (other) =>
      other.code === 'unrecognized_keys' &&
      JSON.stringify(other.path) === place &&
      other.keys.some((name) => faults.suggest(name, [key]) !== undefined),
  );
}

function addFault(issue: Issue, document: unknown, { issues, faults }: Findings): void {
  const path = issue.path as DocumentPath;
  if (issue.code === 'unrecognized_keys') return addKeyFaults(issue, path, faults);
  if (issue.code === 'invalid_key') return addNameFault(path, faults);
  const value = valueAt(document, path);
  const key = [...path].reverse().find((part) => typeof part === 'string') ?? '';
  const where = key === '' ? '' : `${key}: `;
  if (isUnsupportedValue(key, value)) {
    return faults.add(
      'TRP_WORKFLOW_UNSUPPORTED',
      `${where}"${String(value)}" is not supported in this version`,
      path,
    );
  }
  if (value === undefined && isMisspelt(key, path, { issues, faults })) return;
  const words = issue.code === 'invalid_value' ? issue.values.map(String) : [];
  const hint = typeof value === 'string' ? faults.suggest(value, words) : undefined;
  const message =
    value === undefined
      ? `${where}missing; ${expectation(issue)}`
      : `${where}${expectation(issue)}, got ${brief(value)}`;
  faults.add('TRP_WORKFLOW_INVALID', message, { path, hint });
}

/** The schema's own sentence, or one for the few rules that carry none. */
function expectation(issue: Issue): string {
  if (issue.message.startsWith('expected')) return issue.message;
  if (issue.code === 'too_small') return `expected a length of at least ${issue.minimum}`;
  return issue.code === 'too_big' ? `expected at most ${issue.maximum}` : 'expected a value';
}

function addNameFault(path: DocumentPath, faults: FaultList): void {
  const name = String(path.at(-1));
  const message = `"${name.slice(0, 140)}" is not a valid name here`;
  faults.add('TRP_WORKFLOW_INVALID', message, {
    path,
    point: 'key',
    hint: 'Use letters, digits, - and _.',
  });
}

function addKeyFaults(
  issue: Issue & { keys: string[] },
  path: DocumentPath,
  faults: FaultList,
): void {
  const block = issue.message.slice(blockMark.length);
  const known = keysOfBlock(block);
  for (const key of issue.keys) {
    const here = [...path, key];
    if (isUnsupportedKey(block, key)) {
      addUnsupportedKey(here, faults);
      continue;
    }
    const hint = faults.suggest(key, known) ?? `Known here: ${known.join(', ')}.`;
    const title = block.replaceAll('_', ' ');
    faults.add('TRP_WORKFLOW_UNKNOWN_KEY', `unknown key "${key}" in ${title}`, {
      path: here,
      point: 'key',
      hint,
    });
  }
}

function cutOut(document: unknown, issue: Issue, round: number): unknown {
  if (issue.code === 'unrecognized_keys') {
    for (const key of issue.keys) remove(document, [...issue.path, key]);
    return document;
  }
  const path = pathToCut(issue, round);
  if (path.length === 0) return { tasks: {} };
  if (path.length === 1 && path[0] === 'tasks') return { ...(document as object), tasks: {} };
  remove(document, path);
  return document;
}

function remove(document: unknown, path: readonly PropertyKey[]): void {
  const parent = valueAt(document, path.slice(0, -1));
  const key = path.at(-1);
  if (typeof parent !== 'object' || parent === null || key === undefined) return;
  if (Array.isArray(parent)) parent.splice(Number(key), 1);
  else Reflect.deleteProperty(parent, key);
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let current = value;
  for (const part of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, part))
      return undefined;
    current = (current as { [key: PropertyKey]: unknown })[part];
  }
  return current;
}

function brief(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
