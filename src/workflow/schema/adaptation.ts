import { z } from 'zod';
import { parseDuration } from '../../core/duration.ts';
import { adaptationActions } from '../adaptation.ts';
import { block } from './block.ts';
import { count } from './numbers.ts';
import { flag, listOf, oneOf, textOrNumber } from './shapes.ts';
import { positiveDuration } from './times.ts';

const shareText = 'expected a share such as 85% or 0.85';

const share = z
  .union(
    [
      z.number().positive({ error: shareText }).max(1, { error: shareText }),
      z.string().regex(/^(?:100|\d{1,2})(?:\.\d+)?\s?%$/, { error: shareText }),
    ],
    { error: shareText },
  )
  .meta({ title: 'share', examples: ['85%', 0.85] });

const leastIntervalMs = 100;
const intervalText = 'a duration of at least 100ms, such as 10s';

const interval = textOrNumber(intervalText)
  .refine((value) => (parseDuration(value) ?? 0) >= leastIntervalMs, {
    error: `expected ${intervalText}`,
  })
  .meta({ title: 'interval', examples: ['10s', '500ms'] });

const thresholds = block('thresholds', 'What counts as too much, or too little.', {
  event_loop_delay: positiveDuration
    .optional()
    .describe('How late the event loop may be. Default 100ms.'),
  memory: share.optional().describe('Share of the memory that may be in use. Default 85%.'),
  response_time: positiveDuration
    .optional()
    .describe('How long nine of ten attempts may take. Default: not looked at.'),
  queue_depth: z
    .int({ error: 'expected a whole number' })
    .min(0, { error: 'expected 0 or more' })
    .optional()
    .describe('How many tasks may wait for a place. Default 3.'),
  efficiency: share
    .optional()
    .describe('Share of the places that should be in use while members of a narrowed group wait.'),
});

/** What is looked at while a run adapts. */
export const monitoring = block('monitoring', 'What a run that adapts looks at, and when.', {
  interval: interval.optional().describe('Between two looks. Default 10s.'),
  thresholds: thresholds.optional(),
});

const adaptationText = 'expected true, false or an adaptation block';

const adaptationBlock = block('adaptation', 'What a run may change about itself while it runs.', {
  actions: listOf(oneOf(adaptationActions)).optional().describe('Default: all of them.'),
  concurrency: block('adaptive_concurrency', 'Attempts at one time.', {
    min: count.optional().describe('Default 1.'),
    max: count.optional().describe('Default: resources.concurrency, else that of the process.'),
  }).optional(),
  max_timeout_factor: z
    .number({ error: 'expected a number from 1' })
    .min(1, { error: 'expected a number from 1' })
    .max(10, { error: 'expected 10 or less' })
    .optional()
    .describe('Timeouts grow to so many times those of the document at most. Default 2.'),
});

/** Whether and how a run adapts. */
export const adaptation = z.union([flag, adaptationBlock], { error: adaptationText });
