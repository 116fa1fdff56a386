import { z } from 'zod';
import { block } from './block.ts';
import { id } from './names.ts';
import { count } from './numbers.ts';
import { retryClasses, retryThen } from './recovery.ts';
import { flag, named, oneOf, oneOrMany, text } from './shapes.ts';
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
  quarantine_after: count
    .max(1000)
    .optional()
    .describe('Times that its process may die under it before it is left alone. Default 3.'),
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

const minSuccessText = 'expected a count such as 3, a share such as 50% or {weight: 2.5}';

const weightText = 'expected a weight above 0, at most 1000000';

/** How much a success counts. */
export const weight = z
  .number({ error: weightText })
  .positive({ error: weightText })
  .max(1_000_000, { error: weightText });

const minSuccess = z.union(
  [
    z.int().min(0, { error: minSuccessText }),
    z.string().regex(/^(?:100|\d{1,2})(?:\.\d+)?\s?%$/, { error: minSuccessText }),
    block('min_success', 'Successes by weight.', {
      weight: z.number({ error: minSuccessText }).min(0, { error: minSuccessText }),
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
  soft_deadline: positiveDuration
    .optional()
    .describe('From the first dispatch: then min_success is enough to go on with.'),
  hard_deadline: positiveDuration
    .optional()
    .describe('From the first dispatch: nobody waits longer, extensions included.'),
  quorum: minSuccess
    .optional()
    .describe('Successes at which the group goes on and the rest is cancelled.'),
  weights: named(weight).optional().describe('Weight by member or aspect. Default 1.'),
  late: oneOf(['drop', 'merge'])
    .optional()
    .describe('merge: members that have begun run on after the release. Default drop.'),
  notify: z
    .union([flag, text.min(1).max(200)], { error: 'expected true, or whom to notify' })
    .optional()
    .describe('Raise an alert when the group falls back or its time is over.'),
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
