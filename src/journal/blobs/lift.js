import { encode } from '../../bus/codec.js';
import { blobBytes } from './blob-port.js';
/** Whether a record may hold a value above the limit. One walk that makes nothing and ends when it knows. */
export function isHeavy(record) {
  return left(record, blobBytes) < 0;
}
/**
 * Takes the values above the limit out of a record: the smallest that are still above it, so that a list of large
 * texts gives one blob per text and not one for each list that they are in.
 */
export function lift(record) {
  const lifter = new Lifter();
  const fields = Object.entries(record).map(([key, value]) => [
    key,
    lifter.visit(value, [key]).value,
  ]);
  const { values } = lifter;
  return { values, record: Object.fromEntries(fields) };
}
/** What is left of a budget of bytes after a value; below 0: it is larger. */
function left(value, budget) {
  if (typeof value === 'string') return budget - value.length;
  if (value === null || typeof value !== 'object') return budget - 8;
  if (value instanceof Uint8Array) return budget - value.length;
  let rest = budget;
  if (Array.isArray(value)) {
    for (const item of value) if ((rest = left(item, rest)) < 0) return rest;
    return rest;
  }
  const object = value;
  for (const key in object) {
    rest = left(object[key], rest - key.length);
    if (rest < 0) return rest;
  }
  return rest;
}
class Lifter {
  values = [];
  visit(value, at) {
    if (value === undefined || value === null || typeof value !== 'object')
      return this.leaf(value, at, typeof value === 'string' ? value.length : 8);
    if (value instanceof Uint8Array) return this.leaf(value, at, value.length);
    const before = this.values.length;
    const visited = Array.isArray(value) ? this.list(value, at) : this.object(value, at);
    if (visited.bytes <= blobBytes)
      return this.values.length === before ? { ...visited, value } : visited;
    this.values.length = before;
    return this.taken(value, at);
  }
  leaf(value, at, bytes) {
    return bytes > blobBytes ? this.taken(value, at) : { value, bytes };
  }
  taken(value, at) {
    this.values.push({ at, content: encode(value) });
    return { value: null, bytes: 1 };
  }
  list(value, at) {
    const items = value.map((item, index) => this.visit(item, [...at, index]));
    return { value: items.map((item) => item.value), bytes: sum(items) };
  }
  object(value, at) {
    const entries = Object.entries(value).map(([key, item]) => [
      key,
      this.visit(item, [...at, key]),
    ]);
    const keys = entries.reduce((bytes, [key]) => bytes + key.length, 0);
    return {
      value: Object.fromEntries(entries.map(([key, item]) => [key, item.value])),
      bytes: keys + sum(entries.map(([, item]) => item)),
    };
  }
}
function sum(visited) {
  return visited.reduce((total, { bytes }) => total + bytes, 0);
}
