import { z } from 'zod';
import { block } from './block.ts';
import { kindName } from './names.ts';
import { count } from './numbers.ts';
import { breaker } from './reliability.ts';
import { named } from './shapes.ts';
import { positiveDuration } from './times.ts';

const amount = z
  .number({ error: 'expected a number above 0' })
  .positive({ error: 'expected a number above 0' });

const concurrency = z.union(
  [
    count,
    block('provider_concurrency', 'Calls at one time; adapts between min and max.', {
      initial: count.optional().describe('To begin with. Default: 16, or max if that is less.'),
      min: count.optional().describe('Never fewer. Default 1.'),
      max: count.optional().describe('Never more. Default: no bound.'),
      slow_after: positiveDuration
        .optional()
        .describe('A call that takes longer lowers the number. Default: none does.'),
    }),
  ],
  { error: 'expected a number of calls, or {initial, min, max, slow_after}' },
);

const limitsShape = {
  requests_per_minute: count.optional().describe('Calls in any minute. Default: no limit.'),
  tokens_per_minute: count
    .optional()
    .describe('Input and output tokens in any minute. Default: no limit.'),
  concurrency: concurrency.optional().describe('Calls at one time. Default: adapts from 16.'),
  breaker: breaker.optional().describe('Holds calls back when too many fail. Default: none.'),
};

const model = block('provider_model', 'Limits of one model, besides those of its provider.', {
  ...limitsShape,
});

/** A service that agents call, and how much of it there is. */
export const provider = block('provider', 'A service that agents call, and its limits.', {
  ...limitsShape,
  key: kindName.optional().describe('Name of the key whose limits are counted. Default: one.'),
  models: named(model, kindName).optional().describe('Models that have limits of their own.'),
});

/** How much one agent may spend. */
export const agentBudget = block('agent_budget', 'What an agent may spend in a run.', {
  tokens: count.optional().describe('Input and output tokens.'),
  cost: amount.optional().describe('In whatever unit the calls report it.'),
});

/** How much a run may spend. */
export const budget = block('budget', 'What a run may spend before nothing new is begun.', {
  tokens: count.optional().describe('Input and output tokens.'),
  cost: amount.optional().describe('In whatever unit the calls report it.'),
  time: positiveDuration.optional().describe('After that long no attempt is begun.'),
});
