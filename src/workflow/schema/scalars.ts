import { z } from 'zod';
import { parseDuration, parseDurationRange } from '../../core/duration.ts';
import { parseBytes } from '../bytes.ts';

const textOrNumber = (expected: string) => z.union([z.number(), z.string()], { error: `expected ${expected}` });

const durationText = 'a duration such as 250ms, 10m, 1h30m or milliseconds';

/** A duration; zero is allowed. */
export const duration = textOrNumber(durationText)
  .refine((value) => parseDuration(value) !== undefined, { error: `expected ${durationText}` })
  .meta({ title: 'duration', examples: ['250ms', '10m', '1h30m', '10_minutes', 5000] });

/** A duration above zero. */
export const positiveDuration = textOrNumber(durationText)
  .refine((value) => (parseDuration(value) ?? 0) > 0, { error: `expected ${durationText}, above zero` })
  .meta({ title: 'duration', examples: ['250ms', '10m', '1h30m', '10_minutes', 5000] });

const estimateText = 'a duration or a range such as 3-5_minutes';

/** A duration or a range of durations. */
export const estimate = textOrNumber(estimateText)
  .refine((value) => parseDurationRange(value) !== undefined, { error: `expected ${estimateText}` })
  .meta({ title: 'estimate', description: 'How long it takes: the middle plans, the upper end is the pessimistic bound.', examples: ['5m', '3-5_minutes'] });

/** A number of bytes. */
export const bytes = textOrNumber('a size such as 8MB or bytes')
  .refine((value) => (parseBytes(value) ?? 0) > 0, { error: 'expected a size such as 8MB or bytes' })
  .meta({ title: 'size', examples: ['8MB', '64KB'] });

const idText = 'a name of letters, digits, - and _ (at most 128)';

/** Name of an agent, a task, a group or a tier. */
export const id = z.string({ error: `expected ${idText}` }).regex(/^[A-Za-z0-9_][A-Za-z0-9_-]{0,127}$/, { error: `expected ${idText}` });

/** Name of a resource kind or lock. */
export const kindName = z
  .string({ error: 'expected a name of letters, digits, - _ and .' })
  .regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/, { error: 'expected a name of letters, digits, - _ and .' });

/** Memory key or pattern. */
export const keyPattern = z
  .string({ error: 'expected a memory key such as pm.user_stories or pm.*' })
  .regex(/^(?:[^\s.*>]+|\*|>)(?:\.(?:[^\s.*>]+|\*|>))*$/, { error: 'expected a memory key such as pm.user_stories or pm.*' })
  .max(256, { error: 'expected a key of at most 256 characters' });

/** A number above zero. */
export const units = z.number({ error: 'expected a number of units' }).positive({ error: 'expected units above zero' });

/** 1 and more. */
export const count = z.int({ error: 'expected a whole number' }).min(1, { error: 'expected 1 or more' });

/** 1..10, higher first. */
export const priority = z
  .int({ error: 'expected a priority from 1 to 10' })
  .min(1, { error: 'expected a priority from 1 to 10' })
  .max(10, { error: 'expected a priority from 1 to 10' });

/** Any value; strings in it may hold expressions. */
export const template = z.any().meta({ title: 'template', description: 'A value; strings in it may hold ${...} expressions.' });

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
