import { z } from 'zod';
import { block } from './block.ts';
import { aggregate, barrier, tierAggregate } from './policies.ts';
import { id } from './names.ts';
import { priority } from './numbers.ts';
import { flag, listOf, oneOf, text } from './shapes.ts';
import { positiveDuration } from './times.ts';
import { ladder } from './recovery.ts';
import { groupRestartShape } from './restart.ts';
import { needs } from './tasks.ts';

const crossValidation = block('cross_validation', 'Agents that check the output of every member.', {
  agents: listOf(id)
    .min(1, { error: 'expected at least one agent' })
    .describe('Each checks the members of the others.'),
  timeout: positiveDuration.optional().describe('Per attempt of a check.'),
  priority: priority.optional().describe('Default 5.'),
  enabled: flag.optional().describe('Default true.'),
});

const late = oneOf(['drop', 'merge']).describe('As in barriers.');

/** `restart` is of the group itself; everything else is of its members. */
const groupOnFailure = oneOf(['fail', 'redistribute', 'escalate', 'pause', 'restart']);

/** Tasks forked together and joined together. */
export const group = block('group', 'Tasks forked together and joined together.', {
  description: text.optional(),
  tasks: listOf(id).min(1, { error: 'expected at least one task' }).describe('The members.'),
  mode: oneOf(['fork_join', 'async_merge']).optional().describe('Default fork_join.'),
  barrier: barrier.optional(),
  aggregate: aggregate.optional().describe('How members become the output. Default list.'),
  critical: flag
    .optional()
    .describe('False: a failed group becomes partial and the run goes on. Default true.'),
  cross_validation: crossValidation.optional(),
  escalation: ladder
    .optional()
    .describe('The ladder of its members above their own; also when all of them have failed.'),
  on_failure: groupOnFailure.optional().describe('For members that say none; or restart.'),
  ...groupRestartShape,
  late: late.optional(),
  context_sharing: oneOf(['read_only_shared_write_isolated']).optional(),
  needs: needs.optional(),
});

/** An ordered stage of the workforce. */
export const tier = block('tier', 'An ordered stage.', {
  id: z
    .union([id, z.int()], { error: 'expected a name or a number' })
    .optional()
    .describe('Default: its place, from 1.'),
  description: text.optional(),
  mode: oneOf(['sequential', 'parallel']).describe('One after another, or together.'),
  workers: listOf(id).min(1, { error: 'expected at least one task' }).describe('Task ids.'),
  synchronization: oneOf(['async_merge', 'barrier', 'none'])
    .optional()
    .describe('Of a parallel tier. Default barrier.'),
  barrier: barrier.optional(),
  aggregate: tierAggregate
    .optional()
    .describe('The task that aggregates, or how members become one output.'),
  kind: oneOf(['data', 'stream'])
    .optional()
    .describe('stream: starts at the first contribution of the tier before.'),
  critical: flag.optional().describe('As in groups.'),
  late: late.optional(),
});
