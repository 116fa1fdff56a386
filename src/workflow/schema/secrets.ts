import { z } from 'zod';
import { listOf } from './shapes.ts';

const secretName = z.string().regex(/^(?:input\.)?[A-Za-z_][A-Za-z0-9_-]*$/, {
  error: 'expected the name of an environment variable, or input.NAME',
});

/** Names of values that nobody may read: environment variables, or `input.NAME`. */
export const secretNames = listOf(secretName);
