import { z } from 'zod';
import { parseBytes } from '../bytes.ts';
import { textOrNumber } from './shapes.ts';

/** A number of bytes. */
export const bytes = textOrNumber('a size such as 8MB or bytes')
  .refine((value) => (parseBytes(value) ?? 0) > 0, {
    error: 'expected a size such as 8MB or bytes',
  })
  .meta({ title: 'size', examples: ['8MB', '64KB'] });

/** A number above zero. */
export const units = z
  .number({ error: 'expected a number of units' })
  .positive({ error: 'expected units above zero' });

/** 1 and more. */
export const count = z
  .int({ error: 'expected a whole number' })
  .min(1, { error: 'expected 1 or more' });

/** 1..10, higher first. */
export const priority = z
  .int({ error: 'expected a priority from 1 to 10' })
  .min(1, { error: 'expected a priority from 1 to 10' })
  .max(10, { error: 'expected a priority from 1 to 10' });
