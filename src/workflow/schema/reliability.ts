import { z } from 'zod';
import { parseDuration } from '../../core/duration.ts';
import { whenOpen } from '../breaker.ts';
import { block } from './block.ts';
import { kindName } from './names.ts';
import { count } from './numbers.ts';
import { flag, named, oneOf } from './shapes.ts';
import { positiveDuration } from './times.ts';

const shareText = 'expected a share above zero, such as 50% or 0.5';

const share = z
  .union(
    [
      z.number({ error: shareText }).positive({ error: shareText }).max(1, { error: shareText }),
      z
        .string({ error: shareText })
        .regex(/^(?:100|\d{1,2})(?:\.\d+)?\s?%$/, { error: shareText })
        .refine((text) => Number.parseFloat(text) > 0, { error: shareText }),
    ],
    { error: shareText },
  )
  .meta({ title: 'share', examples: ['50%', 0.5] });

const windowText = 'expected a number of calls such as 20, or a duration such as 60s';

const slidingWindow = z
  .union(
    [
      z.int({ error: windowText }).min(1, { error: windowText }).max(10_000, { error: windowText }),
      z
        .string({ error: windowText })
        .refine((text) => (parseDuration(text) ?? 0) > 0, { error: windowText }),
    ],
    { error: windowText },
  )
  .meta({ title: 'sliding window', examples: [20, '60s'] });

const breakerText = 'expected true, false or a breaker block';

/** A circuit breaker, or whether there is one. */
export const breaker = z.union(
  [
    flag,
    block('breaker', 'When calls are held back because too many fail or are slow.', {
      failure_rate: share.optional().describe('Failed calls that open it. Default 50%.'),
      slow_call_rate: share.optional().describe('Slow calls that open it. Default 100%.'),
      slow_call_duration: positiveDuration
        .optional()
        .describe('From when on a call is slow. Default: none is.'),
      sliding_window: slidingWindow
        .optional()
        .describe('Calls, or time, that the rates are taken of. Default 20 calls.'),
      minimum_calls: count.optional().describe('Before rates mean anything. Default 5.'),
      wait: positiveDuration
        .optional()
        .describe('How long it stays open before calls may try. Default 30s.'),
      half_open_calls: count.max(100).optional().describe('Calls that may try. Default 2.'),
      when_open: oneOf(whenOpen)
        .optional()
        .describe('What becomes of tasks while it is open. Default wait.'),
    }),
  ],
  { error: breakerText },
);

/** Breakers of what is described nowhere else. */
export const breakers = block('breakers', 'Breakers of pools and tools.', {
  pools: named(breaker, kindName)
    .optional()
    .describe(
      'A name under pools, or function-inline, function-thread, function-process, command, simulate.',
    ),
  tools: named(breaker, kindName).optional().describe('Names that functions pass to tool().'),
});

const afterText = 'expected a duration such as 30s, or p95';

const after = z
  .union(
    [
      z.literal('p95'),
      z.union([z.number(), z.string()]).refine((value) => (parseDuration(value) ?? 0) > 0, {
        error: afterText,
      }),
    ],
    { error: afterText },
  )
  .meta({ title: 'hedge after', examples: ['30s', 'p95'] });

/** A further attempt beside one that takes long. */
export const hedge = z.union(
  [
    z.literal(false, { error: 'expected false or a hedge block' }),
    block('hedge', 'A further attempt beside one that takes long; the first good result counts.', {
      after: after
        .optional()
        .describe('How long an attempt runs alone; p95: as long as 95% of them take. Default p95.'),
      max: count.max(10).optional().describe('Further attempts, one after another. Default 1.'),
      max_share: share
        .optional()
        .describe('Share of the attempts that are hedged. Default 10% for p95, else all.'),
    }),
  ],
  { error: 'expected false or a hedge block' },
);

/** From when on somebody is not healthy. */
export const health = block('health', 'From when on an agent, a pool or the run is unhealthy.', {
  max_error_rate: share.optional().describe('Default 50%.'),
  max_response_time: positiveDuration
    .optional()
    .describe('Mean time of an attempt. Default: not looked at.'),
  max_queue_depth: count
    .optional()
    .describe('Tasks that wait for their permits. Default: not looked at.'),
  min_calls: count.optional().describe('Attempts before figures mean anything. Default 5.'),
  window: positiveDuration.optional().describe('Attempts that count. Default 60s.'),
});
