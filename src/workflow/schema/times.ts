import { parseDuration, parseDurationRange } from '../../core/duration.ts';
import { parseInstant } from '../../core/instant.ts';
import { textOrNumber } from './shapes.ts';

const durationText = 'a duration such as 250ms, 10m, 1h30m or milliseconds';

/** A duration; zero is allowed. */
export const duration = textOrNumber(durationText)
  .refine((value) => parseDuration(value) !== undefined, { error: `expected ${durationText}` })
  .meta({ title: 'duration', examples: ['250ms', '10m', '1h30m', '10_minutes', 5000] });

/** A duration above zero. */
export const positiveDuration = textOrNumber(durationText)
  .refine((value) => (parseDuration(value) ?? 0) > 0, {
    error: `expected ${durationText}, above zero`,
  })
  .meta({ title: 'duration', examples: ['250ms', '10m', '1h30m', '10_minutes', 5000] });

const startTimeText =
  'a time from the start of the run such as 10m, or a date such as 2026-07-01T09:00:00Z';

/** When something may begin at the earliest. */
export const startTime = textOrNumber(startTimeText)
  .refine(
    (value) =>
      parseDuration(value) !== undefined ||
      (typeof value === 'string' && parseInstant(value) !== undefined),
    { error: `expected ${startTimeText}` },
  )
  .meta({ title: 'start time', examples: ['10m', '2026-07-01T09:00:00Z'] });

const estimateText = 'a duration or a range such as 3-5_minutes';

/** A duration or a range of durations. */
export const estimate = textOrNumber(estimateText)
  .refine((value) => parseDurationRange(value) !== undefined, { error: `expected ${estimateText}` })
  .meta({
    title: 'estimate',
    description: 'How long it takes: the middle plans, the upper end is the pessimistic bound.',
    examples: ['5m', '3-5_minutes'],
  });
