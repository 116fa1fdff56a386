/** Values that are looked at before the thorough walk has to do it; most messages have fewer. */
const mostValues = 256;
const mostDepth = 16;

const { getOwnPropertyDescriptor, getOwnPropertySymbols, getPrototypeOf, keys } = Object;

/** Values that may still be looked at. One number for all, since nothing here is interrupted. */
let left = 0;

/**
 * Whether a value is small and ordinary plain data: true means that it is, false that somebody has to look closer. It
 * keeps no account of where it is, which saves half of the time that the thorough walk takes. Runs nobody's getter.
 */
export function isSurelyPlain(value: unknown): boolean {
  left = mostValues;
  return isScalar(value) || isTree(value, mostDepth);
}

function isScalar(value: unknown): boolean {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return true;
  return typeof value === 'number' && Number.isFinite(value);
}

function isTree(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null || depth === 0) return false;
  if (Array.isArray(value)) return isList(value as readonly unknown[], depth);
  return isRecord(value, depth);
}

function isRecord(value: object, depth: number): boolean {
  if (getPrototypeOf(value) !== Object.prototype || getOwnPropertySymbols(value).length > 0)
    return false;
  for (const key of keys(value)) {
    if (--left < 0 || key === '__proto__' || !holdsPlain(value, key, depth)) return false;
  }
  return true;
}

function isList(value: readonly unknown[], depth: number): boolean {
  for (let index = 0; index < value.length; index++)
    if (--left < 0 || !holdsPlain(value, index, depth)) return false;
  return true;
}

/** What an accessor or a hole has for a value is undefined, which is nothing of what is looked for. */
function holdsPlain(parent: object, key: string | number, depth: number): boolean {
  const held: unknown = getOwnPropertyDescriptor(parent, key)?.value;
  return isScalar(held) || isTree(held, depth - 1);
}
