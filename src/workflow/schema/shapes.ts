import { z } from 'zod';
import { id } from './names.ts';

/** A number, or text that stands for one. */
export const textOrNumber = (expected: string) =>
  z.union([z.number(), z.string()], { error: `expected ${expected}` });

/** Any value; strings in it may hold expressions. */
export const template = z
  .any()
  .meta({ title: 'template', description: 'A value; strings in it may hold ${...} expressions.' });

/** Free text. */
export const text = z.string({ error: 'expected text' });

/** True or false. */
export const flag = z.boolean({ error: 'expected true or false' });

/** One of some words. */
export function oneOf<const Words extends readonly [string, ...string[]]>(words: Words) {
  return z.enum(words, { error: `expected ${words.join(', ')}` });
}

/** One value or a list of them. */
export function oneOrMany<Item extends z.ZodType>(item: Item) {
  return z.union([item, z.array(item)]);
}

/** A mapping from names to values. */
export function named<Value extends z.ZodType>(value: Value, key: z.ZodString = id) {
  return z.record(key, value, { error: 'expected a mapping of names' });
}

/** A list with a message of its own. */
export function listOf<Item extends z.ZodType>(item: Item, expected = 'expected a list') {
  return z.array(item, { error: expected });
}
