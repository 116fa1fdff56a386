import { TroupeError } from './errors.ts';
import { isSurelyPlain } from './surely-plain.ts';

/** Plain data: what may cross the user's boundary, the bus or the journal. JSON values and byte arrays, nothing else. */
export type Plain =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | readonly Plain[]
  | { readonly [key: string]: Plain };

/** A plain object: string keys, plain values. */
export type PlainObject = { readonly [key: string]: Plain };

/** Deepest nesting that plain data may have. */
export const maxPlainDepth = 100;

/** Most values in one piece of plain data, shared ones counted each time: a small graph can unfold into a huge tree. */
const maxPlainValues = 10_000_000;

/** Whether a value is plain data. Reads every part of it; never throws, whatever proxies are in it. */
export function isPlain(value: unknown): value is Plain {
  try {
    new PlainWalk('value', false).visit(value);
    return true;
  } catch {
    return false;
  }
}

/**
 * The same value, known to be plain. Properties that hold `undefined` are tolerated, as JSON does.
 * @param place what the value is, for the message: `output of task a`.
 * @throws TroupeError TRP_PLAIN_DATA with the path of the first offender.
 */
export function assertPlain(value: unknown, place: string): Plain {
  if (!isSurelyPlain(value)) new PlainWalk(place, false).visit(value);
  return value as Plain;
}

/**
 * A deep, frozen copy of a value that is plain data: properties that hold `undefined` are dropped, `-0`
 * becomes 0 and broken surrogate pairs are replaced, so that the copy equals what a journal gives back.
 * @throws TroupeError TRP_PLAIN_DATA with the path of the first offender.
 */
export function toPlain(value: unknown, place = 'value'): Plain {
  return new PlainWalk(place, true).visit(value);
}

/** One walk through a value; with `copying` it builds the frozen copy, without it returns what it saw. */
class PlainWalk {
  private readonly place: string;
  private readonly copying: boolean;
  private readonly path: (string | number)[] = [];
  private readonly parents: object[] = [];
  private visited = 0;

  constructor(place: string, copying: boolean) {
    this.place = place;
    this.copying = copying;
  }

  visit(value: unknown): Plain {
    if (++this.visited > maxPlainValues) this.refuse(`holds more than ${maxPlainValues} values`);
    switch (typeof value) {
      case 'string':
        return this.copying ? wellFormed(value) : value;
      case 'boolean':
        return value;
      case 'number':
        return Number.isFinite(value)
          ? value + 0
          : this.refuse(`is ${value}, which JSON cannot hold`);
      case 'object':
        return value === null ? null : this.visitObject(value);
      default:
        return this.refuse(`is ${nameOfType(value)}`);
    }
  }

  private visitObject(value: object): Plain {
    if (value instanceof Uint8Array) return this.copying ? Uint8Array.from(value) : value;
    if (this.parents.length >= maxPlainDepth) this.refuseDepth();
    this.parents.push(value);
    const result = Array.isArray(value) ? this.visitArray(value) : this.visitRecord(value);
    this.parents.pop();
    return result;
  }

  private visitArray(value: readonly unknown[]): Plain {
    const copy: Plain[] = [];
    for (let index = 0; index < value.length; index++) {
      this.path.push(index);
      const item = this.visit(this.ownValue(value, index));
      this.path.pop();
      if (this.copying) copy.push(item);
    }
    return this.copying ? Object.freeze(copy) : (value as Plain);
  }

  private visitRecord(value: object): Plain {
    if (!hasPlainPrototype(value)) this.refuse(`is an instance of ${classNameOf(value)}`);
    if (Object.getOwnPropertySymbols(value).length > 0) this.refuse('has a symbol for a key');
    const copy: { [key: string]: Plain } = {};
    for (const key of Object.keys(value)) {
      if (key === '__proto__') this.refuse('has a key named __proto__');
      this.path.push(key);
      const held = this.ownValue(value, key);
      const item = held === undefined ? undefined : this.visit(held);
      this.path.pop();
      if (this.copying && item !== undefined) copy[wellFormed(key)] = item;
    }
    return this.copying ? Object.freeze(copy) : (value as Plain);
  }

  /** Reads without running anybody's getter. */
  private ownValue(parent: object, key: string | number): unknown {
    const descriptor = Object.getOwnPropertyDescriptor(parent, key);
    if (descriptor && !('value' in descriptor)) this.refuse('is an accessor');
    return descriptor?.value;
  }

  private refuseDepth(): never {
    const circular = new Set(this.parents).size < this.parents.length;
    if (!circular) this.refuse(`is nested deeper than ${maxPlainDepth} levels`);
    this.path.length = 0;
    this.refuse('contains itself');
  }

  private refuse(fault: string): never {
    const path = pathText(this.path);
    const subject = path === '' ? this.place : `${this.place} at ${path}`;
    throw new TroupeError('TRP_PLAIN_DATA', `${subject} ${fault}`, { place: path });
  }
}

/** A path as a person writes it: `tasks.a.needs[0]`. */
export function pathText(path: readonly (string | number)[]): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else text += text === '' ? part : `.${part}`;
  }
  return text;
}

/** Object.prototype of any realm, or none; a class has a prototype above its own. */
function hasPlainPrototype(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function classNameOf(value: object): string {
  const made = (value as { constructor?: { name?: unknown } }).constructor;
  return typeof made?.name === 'string' && made.name !== '' ? made.name : 'a class';
}

function nameOfType(value: unknown): string {
  return value === undefined ? 'undefined' : `a ${typeof value}`;
}

/** UTF-8 has no lone surrogates; what could not be written down is replaced before anybody hashes it. */
function wellFormed(text: string): string {
  return (text as string & { toWellFormed(): string }).toWellFormed();
}
