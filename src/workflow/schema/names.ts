import { z } from 'zod';

const idText = 'a name of letters, digits, - and _ (at most 128)';

/** Name of an agent, a task, a group or a tier. */
export const id = z
  .string({ error: `expected ${idText}` })
  .regex(/^[A-Za-z0-9_][A-Za-z0-9_-]{0,127}$/, { error: `expected ${idText}` });

/** Name of a resource kind or lock. */
export const kindName = z
  .string({ error: 'expected a name of letters, digits, - _ and .' })
  .regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/, {
    error: 'expected a name of letters, digits, - _ and .',
  });

/** Memory key or pattern. */
export const keyPattern = z
  .string({ error: 'expected a memory key such as pm.user_stories or pm.*' })
  .regex(/^(?:[^\s.*>]+|\*|>)(?:\.(?:[^\s.*>]+|\*|>))*$/, {
    error: 'expected a memory key such as pm.user_stories or pm.*',
  })
  .max(256, { error: 'expected a key of at most 256 characters' });
