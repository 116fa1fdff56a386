import { z } from 'zod';
import { block } from './block.ts';
import { oneOf } from './shapes.ts';
import { positiveDuration } from './times.ts';

/** Who begins again with a member whose attempt has failed. */
const strategy = oneOf(['one_for_one', 'one_for_all', 'rest_for_one']);

const maxRestarts = z
  .int({ error: 'expected a number of restarts' })
  .min(0, { error: 'expected a number of restarts' })
  .max(1000);

const restartBlock = block('restart', 'How members begin again together.', {
  strategy: strategy.optional().describe('Default one_for_one.'),
  max_restarts: maxRestarts.optional().describe('Within the window. Default 3.'),
  within: positiveDuration.optional().describe('The window. Default 30s.'),
  type: oneOf(['permanent', 'transient', 'temporary'])
    .optional()
    .describe('temporary: the group restarts nobody. Default transient.'),
});

/** What a group says of restarts. */
export const groupRestartShape = {
  restart: z
    .union([strategy, restartBlock], {
      error: 'expected one_for_one, one_for_all, rest_for_one or a restart block',
    })
    .optional()
    .describe('Who begins again when an attempt of a member has failed.'),
  strategy: strategy.optional().describe('The same as restart.strategy.'),
  max_restarts: maxRestarts.optional().describe('The same as restart.max_restarts.'),
  window: positiveDuration.optional().describe('The same as restart.within.'),
};
