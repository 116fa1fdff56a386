import { block } from './block.ts';
import { count } from './numbers.ts';
import { flag } from './shapes.ts';
import { positiveDuration } from './times.ts';

/** Slots of one kind of work, in this process or on worker hosts. */
export const pool = block('pool', 'Slots of one kind of work.', {
  remote: flag
    .optional()
    .describe('Attempts are carried out by worker hosts (troupe worker). Default false.'),
  slots: count.optional().describe('Attempts of a run at one time. Default: no limit of its own.'),
  wait: positiveDuration
    .optional()
    .describe('How long an attempt waits while no worker host serves the pool. Default 5m.'),
  lost_after: positiveDuration
    .optional()
    .describe('Silence of a worker host after which its attempts are lost. Default 10s.'),
});
