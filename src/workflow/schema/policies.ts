import { z } from 'zod';
import { block } from './block.ts';
import { id } from './names.ts';
import { count } from './numbers.ts';
import { retryClasses, retryThen } from './recovery.ts';
import { oneOf, oneOrMany, text } from './shapes.ts';
import { duration, positiveDuration } from './times.ts';
import { aggregateWords } from './words.ts';

const share = (expected: string) =>
  z.number({ error: expected }).min(0, { error: expected }).max(1, { error: expected });

const retryBlock = block('retry', 'When and how often to try again.', {
  max_attempts: count.max(1000).optional().describe('The first attempt included. Default 3.'),
  backoff: oneOf(['none', 'fixed', 'linear', 'exponential', 'decorrelated'])
    .optional()
    .describe('How the wait grows. Default exponential.'),
  initial: duration.optional().describe('First wait. Default 500ms.'),
  max: duration.optional().describe('Longest wait. Default 60s.'),
  jitter: share('expected a share from 0 to 1')
    .optional()
    .describe('Random share of the wait. Default 0.5.'),
  budget: positiveDuration.optional().describe('Total time for all attempts.'),
  on: retryClasses.optional(),
  then: retryThen
    .optional()
    .describe(
      'What follows when nothing is left to try: peer, model, supervisor, person, pause, fail.',
    ),
});

/** A retry block, or the number of attempts. */
export const retry = z.union([count.max(1000), retryBlock], {
  error: 'expected a number of attempts or a retry block',
});

const minSuccessText = 'expected a count such as 3 or a share such as 50%';

const minSuccess = z.union(
  [
    z.int().min(0, { error: minSuccessText }),
    z.string().regex(/^(?:100|\d{1,2})(?:\.\d+)?\s?%$/, { error: minSuccessText }),
    block('min_success', 'A weight; not acted on in this version.', {}).refine(() => false, {
      error: minSuccessText,
    }),
  ],
  { error: minSuccessText },
);

const extension = block('extension', 'How the barrier may wait longer.', {
  by: positiveDuration.optional().describe('Longest extension. Default 5m.'),
  max: z.int().min(0).optional().describe('How many extensions. Default 1.'),
});

const onTimeout = oneOf(['extend', 'proceed_with_available', 'abort_and_fallback', 'fail']);

/** The rule by which waiting for a group ends. */
export const barrier = block('barrier', 'When waiting for the members is over, and with what.', {
  type: oneOf(['count_down', 'smart'])
    .optional()
    .describe('smart decides as soon as the decision cannot change.'),
  expected: count.optional().describe('Arrivals waited for. Default: all members.'),
  min_success: minSuccess
    .optional()
    .describe('Least successes: a count, or a share such as 50%. Default: all.'),
  required: z.array(id).optional().describe('Members that must succeed.'),
  timeout: positiveDuration.optional().describe("From the first member's dispatch."),
  on_timeout: oneOrMany(onTimeout)
    .optional()
    .describe('Tried in order. Default proceed_with_available.'),
  extension: extension.optional(),
  on_failure: oneOf(['retry_failed_worker', 'continue', 'fail_fast'])
    .optional()
    .describe('Default retry_failed_worker.'),
});

const aggregateText =
  'expected list, concat, union, intersection, majority, {frequency: 0.4} or {function: "./m.mjs#x"}';

const aggregateBlock = block('aggregate', 'How members become one output.', {
  frequency: share('expected a share from 0 to 1')
    .optional()
    .describe('Least share of the members that name an item.'),
  function: text
    .min(1)
    .optional()
    .describe(
      'A module and export, called as an agent is; its input is {group, members, outputs}.',
    ),
}).refine((value) => (value.frequency === undefined) !== (value.function === undefined), {
  error: aggregateText,
});

/** How members' outputs become one. */
export const aggregate = z.union(
  [z.enum(aggregateWords, { error: aggregateText }), aggregateBlock],
  { error: aggregateText },
);

/** As {@link aggregate}, or the task that aggregates. */
export const tierAggregate = z.union([id, aggregateBlock], {
  error: `${aggregateText}, or a task`,
});
