import { parseDuration, parseDurationRange } from '../../core/duration.ts';
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

const estimateText = 'a duration or a range such as 3-5_minutes';

/** A duration or a range of durations. */
export const estimate = textOrNumber(estimateText)
  .refine((value) => parseDurationRange(value) !== undefined, { error: `expected ${estimateText}` })
  .meta({
    title: 'estimate',
    description: 'How long it takes: the middle plans, the upper end is the pessimistic bound.',
    examples: ['5m', '3-5_minutes'],
  });
