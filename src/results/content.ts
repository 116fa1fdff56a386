import { canonicalJson } from '../core/canonical.ts';
import type { Plain, PlainObject } from '../core/plain.ts';

/** Whether two values have the same content; undefined is absence and only like itself. */
export function sameContent(a: Plain | undefined, b: Plain | undefined): boolean {
  if (a === b) return true;
  return a !== undefined && b !== undefined && canonicalJson(a) === canonicalJson(b);
}

/** Whether a value has keys: not a list, not bytes. */
export function isPlainObject(value: Plain | undefined): value is PlainObject {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Uint8Array)
  );
}

/** A list as it is; absence as an empty list; anything else as a list of one, so that nothing is lost. */
export function asList(value: Plain | undefined): readonly Plain[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? (value as readonly Plain[]) : [value as Plain];
}

/** Items by content, each once, in order of first appearance. */
export function distinct(items: Iterable<Plain>): Map<string, Plain> {
  const byText = new Map<string, Plain>();
  for (const item of items) {
    const text = canonicalJson(item);
    if (!byText.has(text)) byText.set(text, item);
  }
  return byText;
}
