/**
 * A folded state as JSON: maps and sets as lists, in their order; what is undefined is left out.
 * @param {unknown} value
 * @returns {unknown}
 */
export function plainState(value) {
  if (value instanceof Map)
    return { map: [...value].map(([key, item]) => [key, plainState(item)]) };
  if (value instanceof Set) return { set: [...value].map(plainState) };
  if (value instanceof Uint8Array) return { bytes: Buffer.from(value).toString('base64') };
  if (Array.isArray(value)) return value.map(plainState);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(entries.map(([key, item]) => [key, plainState(item)]));
}
