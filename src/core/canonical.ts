import { createHash } from 'node:crypto';
import type { Plain } from './plain.ts';

/** Marks bytes, which JSON lacks; a key of the same spelling gets one more `$`, so no two values share a text. */
const bytesKey = '$bytes';

/**
 * One text per value, after RFC 8785 (JSON Canonicalization Scheme): keys sorted by UTF-16 code units, no
 * spaces, numbers as ECMAScript prints them. Bytes are `{"$bytes":"<base64>"}`. Undefined properties are left out.
 */
export function canonicalJson(value: Plain): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (value instanceof Uint8Array)
    return `{"${bytesKey}":"${Buffer.from(value).toString('base64')}"}`;
  if (Array.isArray(value)) return `[${(value as readonly Plain[]).map(canonicalJson).join(',')}]`;
  return canonicalObject(value as { readonly [key: string]: Plain | undefined });
}

/** SHA-256 of the canonical text, in lower-case hex. */
export function contentHash(value: Plain): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}

function canonicalObject(value: { readonly [key: string]: Plain | undefined }): string {
  const members: string[] = [];
  for (const key of Object.keys(value).sort()) {
    const item = value[key];
    if (item !== undefined)
      members.push(`${JSON.stringify(escapedKey(key))}:${canonicalJson(item)}`);
  }
  return `{${members.join(',')}}`;
}

function escapedKey(key: string): string {
  return /^\$+bytes$/.test(key) ? `$${key}` : key;
}
