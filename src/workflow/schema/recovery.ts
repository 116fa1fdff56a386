import { z } from 'zod';
import { rungKinds } from '../recovery.ts';
import { block } from './block.ts';
import { id, kindName } from './names.ts';
import { count } from './numbers.ts';
import { flag, listOf, oneOf, oneOrMany, template } from './shapes.ts';
import { positiveDuration } from './times.ts';

const attempts = count.max(1000);

/** Attempts by class of failure. */
export const retryClasses = block('retry_classes', 'Attempts by class of failure.', {
  transient: attempts.optional(),
  timeout: attempts.optional(),
  lost: attempts.optional().describe('The process or thread that carried the attempt has died.'),
  rate_limited: attempts.optional().describe('Refused, with a time to wait.'),
  permanent: attempts.optional().describe('Not tried again unless it stands here.'),
});

/** What follows on the last attempt. */
export const retryThen = oneOrMany(
  oneOf(['other_worker', 'other_model', 'supervisor', 'person', 'pause', 'fail']),
);

const degrade = block('degrade', 'How less is done; one or more of these.', {
  agent: id.optional().describe('Another agent.'),
  model: kindName.optional().describe('Another model.'),
  with: template.optional().describe('Another input.'),
  default: template.optional().describe('No attempt at all: this is the output.'),
}).refine((value) => Object.values(value).some((part) => part !== undefined), {
  error: 'expected agent, model, with or default',
});

const rungBlock = block('rung', 'A step of an escalation ladder.', {
  rung: oneOf(rungKinds).optional().describe('What is done. With degrade it may be left out.'),
  attempts: attempts.optional().describe('Attempts on this rung.'),
  deadline: positiveDuration
    .optional()
    .describe('From the moment on when the rung is reached. For person: default 24h.'),
  max_cost: z
    .number({ error: 'expected a cost above 0' })
    .positive({ error: 'expected a cost above 0' })
    .optional()
    .describe('What the task may spend on this rung.'),
  default: oneOf(['next', 'use_default', 'fail', 'skip'])
    .optional()
    .describe('What follows when attempts, time or cost are used up. Default next.'),
  degrade: degrade.optional(),
}).refine((value) => value.rung !== undefined || value.degrade !== undefined, {
  error: `expected rung: ${rungKinds.join(', ')}`,
});

const rungText = `expected ${rungKinds.join(', ')}, or a rung`;

/** An escalation ladder. */
export const ladder = listOf(z.union([z.enum(rungKinds), rungBlock], { error: rungText })).min(1, {
  error: 'expected at least one rung',
});

/** A whole way of recovery in one word. */
const onFailure = oneOf(['fail', 'redistribute', 'escalate', 'pause']);

/** What tasks say of their recovery, and defaults for those that say nothing. */
export const recoveryShape = {
  escalation: ladder
    .optional()
    .describe('Who is tried and asked when it has failed, in this order.'),
  on_failure: onFailure
    .optional()
    .describe('After the retries: fail, go round its peers, ask who is above, or pause the run.'),
  on_exhausted: oneOf(['fail', 'pause'])
    .optional()
    .describe('When nothing is left: the task fails, or the run waits for a word. Default fail.'),
  pause_on_exhausted: flag.optional().describe('The same as on_exhausted: pause.'),
};
