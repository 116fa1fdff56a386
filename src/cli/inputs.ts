import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { TroupeError, messageOf } from '../core/errors.ts';
import type { Plain, PlainObject } from '../core/plain.ts';
import type { Shell } from './shell.ts';

/** Where the input of a run comes from. */
export interface InputOptions {
  /** `key=value` or a JSON object, each; later ones win. */
  readonly input?: readonly string[];
  /** A file with a mapping in JSON or YAML (by its ending), or `-` for JSON on standard input. */
  readonly inputFile?: string;
}

/**
 * The input of a run: the file's members, then those of the command line over them.
 * @throws TroupeError TRP_INPUT_INVALID that names the text at fault.
 */
export async function readInputs(shell: Shell, options: InputOptions): Promise<PlainObject> {
  const fromFile =
    options.inputFile === undefined ? {} : await readInputFile(shell, options.inputFile);
  return parseInputs(options.input ?? [], fromFile);
}

/** As {@link readInputs}, for what stands on the command line, over a base. */
export function parseInputs(texts: readonly string[], base: PlainObject = {}): PlainObject {
  const entries = new Map(Object.entries(base));
  for (const text of texts) {
    for (const [key, value] of entriesOf(text)) entries.set(key, value);
  }
  return Object.fromEntries(entries);
}

/** JSON if it parses, else the text itself. A whole number beyond what a double holds exactly stays text. */
export function parseValue(text: string): Plain {
  try {
    const value = JSON.parse(text) as Plain;
    const inexact =
      typeof value === 'number' && /^-?\d+$/.test(text.trim()) && !Number.isSafeInteger(value);
    return inexact ? text : value;
  } catch {
    return text;
  }
}

function entriesOf(text: string): readonly (readonly [string, Plain])[] {
  if (text.trimStart().startsWith('{')) return Object.entries(parseObject(text, '--input'));
  const cut = text.indexOf('=');
  if (cut <= 0) {
    throw new TroupeError(
      'TRP_INPUT_INVALID',
      `--input ${JSON.stringify(text)} is neither key=value nor a JSON object`,
    );
  }
  return [[text.slice(0, cut), parseValue(text.slice(cut + 1))]];
}

async function readInputFile(shell: Shell, file: string): Promise<PlainObject> {
  if (file === '-') return parseObject(await shell.readInput(), 'standard input');
  const path = resolve(shell.cwd, file);
  if (/\.ya?ml$/i.test(file)) return readYaml(path, file);
  const text = await readFile(path, 'utf8').catch((thrown: unknown) => {
    throw new TroupeError(
      'TRP_INPUT_INVALID',
      `the input file cannot be read: ${messageOf(thrown)}`,
      { place: file },
    );
  });
  return parseObject(text, file);
}

/** With the limits and refusals of a workflow document. */
async function readYaml(path: string, file: string): Promise<PlainObject> {
  const { loadDocument } = await import('../workflow/load.ts');
  const { faults, value } = await loadDocument({ path });
  const [first] = faults.faults;
  if (!first) return asObject(value, file);
  const place = first.line > 0 ? `${file}:${first.line}:${first.column}` : file;
  throw new TroupeError('TRP_INPUT_INVALID', first.message, { place });
}

function parseObject(text: string, place: string): PlainObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (thrown) {
    throw new TroupeError('TRP_INPUT_INVALID', `the input is not JSON: ${messageOf(thrown)}`, {
      place,
    });
  }
  return asObject(value, place);
}

function asObject(value: unknown, place: string): PlainObject {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as PlainObject;
  throw new TroupeError('TRP_INPUT_INVALID', 'the input must be a mapping of names to values', {
    place,
  });
}
