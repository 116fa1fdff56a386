import { readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { messageOf } from '../core/errors.ts';
import type { TroupeError } from '../core/errors.ts';
import { pathText, toPlain } from '../core/plain.ts';
import type { Plain, PlainObject } from '../core/plain.ts';
import { FaultList } from './fault.ts';
import type { DocumentPath, Locate, Position } from './fault.ts';
import { syntaxFaults } from './syntax.ts';
import { YamlTree, forbiddenKeyMessage, isForbiddenKey } from './yaml-tree.ts';
import { maxDocumentDepth, refusedConstruct } from './yaml-guard.ts';
import type { Refusal } from './yaml-guard.ts';

/** Largest text of a document: 1 MiB. */
export const maxDocumentBytes = 1024 * 1024;

/** Where a document comes from: a file, its text, or the document itself as plain data. */
export type DocumentSource =
  | { readonly path: string }
  | { readonly text: string; readonly file?: string; readonly baseDir?: string }
  | { readonly object: unknown; readonly file?: string; readonly baseDir?: string };

/** A document that could be read, with the faults found so far. */
export interface LoadedDocument {
  /** Undefined when nothing usable came out of it; then there are faults. */
  readonly value: Plain | undefined;
  readonly file: string;
  readonly baseDir: string;
  readonly faults: FaultList;
}

const nowhere: Locate = () => ({ line: 0, column: 0 });

/** Reads a document from wherever it is. Never throws: what is wrong with it is in `faults`. */
export async function loadDocument(source: DocumentSource): Promise<LoadedDocument> {
  if ('path' in source) return loadFile(source.path);
  const place = {
    file: source.file ?? '',
    baseDir: resolve(source.baseDir ?? (source.file ? dirname(source.file) : '.')),
  };
  return 'text' in source ? loadText(source.text, place) : loadObject(source.object, place);
}

interface Place {
  readonly file: string;
  readonly baseDir: string;
}

async function loadFile(path: string): Promise<LoadedDocument> {
  try {
    const file = path.startsWith('file:') ? fileURLToPath(path) : path;
    const place = { file, baseDir: dirname(resolve(file)) };
    const entry = await stat(file);
    if (!entry.isFile()) return unreadable(path, 'it is not a file');
    if (entry.size > maxDocumentBytes) return tooLarge(entry.size, place);
    return await loadText(await readFile(file, 'utf8'), place);
  } catch (error) {
    return unreadable(path, messageOf(error));
  }
}

function unreadable(file: string, reason: string): LoadedDocument {
  const faults = new FaultList(file, nowhere);
  faults.add('TRP_WORKFLOW_UNREADABLE', `cannot read ${file}: ${reason}`, []);
  return { file, baseDir: resolve('.'), value: undefined, faults };
}

function tooLarge(bytes: number, place: Place): LoadedDocument {
  const faults = new FaultList(place.file, nowhere);
  faults.add(
    'TRP_WORKFLOW_TOO_LARGE',
    `the document has ${bytes} bytes, more than ${maxDocumentBytes}`,
    [],
  );
  return { ...place, value: undefined, faults };
}

async function loadText(text: string, place: Place): Promise<LoadedDocument> {
  const bytes = Buffer.byteLength(text);
  if (bytes > maxDocumentBytes) return tooLarge(bytes, place);
  const yaml = await import('yaml');
  const lines = new yaml.LineCounter();
  const refusal = refusedConstruct(text, {
    lexer: new yaml.Lexer(),
    tokenType: yaml.CST.tokenType,
  });
  if (refusal) return refused(refusal, text, place);
  const parsed = parsedOrRefusal(() =>
    yaml.parseDocument(text, {
      lineCounter: lines,
      prettyErrors: false,
      uniqueKeys: false,
      version: '1.2',
    }),
  );
  if ('message' in parsed) return refused(parsed, text, place);
  if (parsed.errors.length > 0) {
    const { file } = place;
    const refusedText = { text, file, problems: parsed.errors, lines, lexer: new yaml.Lexer() };
    return { ...place, value: undefined, faults: syntaxFaults(refusedText) };
  }
  const tree = new YamlTree(parsed.contents, yaml, lines);
  const faults = new FaultList(place.file, tree.locate);
  const value = tree.toPlain(faults);
  if (value !== null || faults.faults.length > 0) return { ...place, value, faults };
  const hint = 'troupe init writes one to start from';
  faults.add('TRP_WORKFLOW_INVALID', 'the document is empty', { path: [], hint });
  return { ...place, value: undefined, faults };
}

/** The parser recurses; a text that passed the guard and is still too deep for the stack is refused as well. */
function parsedOrRefusal<T>(parse: () => T): T | Refusal {
  try {
    return parse();
  } catch (error) {
    return { message: `the text cannot be parsed: ${messageOf(error)}`, offset: 0 };
  }
}

const plainHint = `Write it plainly: no aliases, anchors, tags or directives, at most ${maxDocumentDepth} levels.`;

function refused(refusal: Refusal, text: string, place: Place): LoadedDocument {
  const position = positionIn(text, refusal.offset);
  const faults = new FaultList(place.file, () => position);
  faults.add('TRP_WORKFLOW_HOSTILE', refusal.message, {
    path: [],
    hint: refusal.hint ?? plainHint,
  });
  return { ...place, value: undefined, faults };
}

function positionIn(text: string, offset: number): Position {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf('\n') + 1;
  return { line: before.split('\n').length, column: offset - lineStart + 1 };
}

function loadObject(object: unknown, place: Place): LoadedDocument {
  const faults = new FaultList(place.file, nowhere);
  try {
    const value = toPlain(object, 'the workflow');
    refuseObjectKeys(value, [], faults);
    return { ...place, value, faults };
  } catch (error) {
    const { message, place: at = '' } = error as TroupeError;
    faults.add('TRP_PLAIN_DATA', message, at === '' ? [] : [at]);
    return { ...place, value: undefined, faults };
  }
}

function refuseObjectKeys(value: Plain, path: DocumentPath, faults: FaultList): void {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return;
  if (path.length > maxDocumentDepth) {
    faults.add(
      'TRP_WORKFLOW_HOSTILE',
      `nesting deeper than ${maxDocumentDepth} levels is refused at ${pathText(path)}`,
      [],
    );
    return;
  }
  const isList = Array.isArray(value);
  for (const [key, item] of Object.entries(value as PlainObject)) {
    if (!isList && isForbiddenKey(key))
      faults.add('TRP_WORKFLOW_HOSTILE', forbiddenKeyMessage(key), [...path, key]);
    refuseObjectKeys(item, [...path, isList ? Number(key) : key], faults);
  }
}
