import { z } from 'zod';
import { behaviourShape, workspace } from './agents.ts';
import { block } from './block.ts';
import { aggregate, barrier, retry, weight } from './policies.ts';
import { id, keyPattern, kindName } from './names.ts';
import { count, priority, units } from './numbers.ts';
import { recoveryShape } from './recovery.ts';
import { breaker, hedge } from './reliability.ts';
import { flag, listOf, named, oneOf, oneOrMany, template, text } from './shapes.ts';
import { estimate, positiveDuration, startTime } from './times.ts';

const needText = 'expected a task or group name, {task, kind}, {group, kind} or {resource, units}';

const need = z.union(
  [
    z.string().min(1),
    block('need', 'A dependency.', {
      task: z.string().optional().describe('The task needed.'),
      group: z.string().optional().describe('The group needed.'),
      resource: kindName.optional().describe('A resource competed for.'),
      units: units.optional().describe('With resource. Default 1.'),
      kind: oneOf(['data', 'context', 'validation', 'stream']).optional().describe('Default data.'),
    }).refine(
      ({ task, group, resource, kind, units: some }) =>
        [task, group, resource].filter((name) => name !== undefined).length === 1 &&
        (resource === undefined ? some === undefined : kind === undefined),
      { error: needText },
    ),
  ],
  { error: needText },
);

/** What a task or a group waits for. */
export const needs = oneOrMany(need).describe(
  'Tasks and groups waited for, and resources competed for.',
);

const demand = named(
  z.union(
    [
      z.number().min(0, { error: 'expected units of 0 or more' }),
      oneOf(['low', 'medium', 'high', 'very_high']),
    ],
    {
      error: 'expected units, or low, medium, high or very_high',
    },
  ),
  kindName,
);

const shards = block('shards', 'One member per part of the input.', {
  of: template.describe('The list to split: usually an expression.'),
  count: count.max(10_000).optional().describe('How many parts.'),
  size: count.optional().describe('How many items in a part.'),
}).refine((value) => (value.count === undefined) !== (value.size === undefined), {
  error: 'expected count or size, one of them',
});

const aspect = block('aspect', 'One question about the same input.', {
  agent: id.optional().describe("Default: the task's agent."),
  with: template.optional(),
  weight: weight.optional().describe('How much its success counts. Default 1.'),
});

const aspects = z.union([listOf(id).min(1), named(z.union([aspect, z.null()]))], {
  error: 'expected a list of names, or a mapping from names to {agent, with}',
});

const forEach = z.union(
  [z.string(), z.array(template), block('for_each', 'One member per item.', { of: template })],
  {
    error: 'expected a list, or an expression such as ${tasks.a.output.items}',
  },
);

const lock = block('lock', 'A lock that several may hold to read, or one to write.', {
  name: kindName,
  mode: oneOf(['read', 'write']).optional().describe('Default write.'),
  timeout: positiveDuration
    .optional()
    .describe('How long the task may wait while another holds it. Default: without end.'),
});

const complexity = z
  .union([z.number().positive(), oneOf(['low', 'medium', 'high', 'very_high'])], {
    error: 'expected a number above 0, or low, medium, high or very_high',
  })
  .describe('How much work it is: plans take 30 s for each unit where there is no estimate.');

const filePath = text.min(1).max(1000);

const files = block(
  'files',
  'Files and folders that the task touches; a folder ends with a slash.',
  {
    reads: listOf(filePath).optional(),
    writes: listOf(filePath).optional(),
  },
);

/** A node of the workflow's graph. */
export const task = block('task', 'A piece of work.', {
  description: text.optional(),
  agent: id
    .optional()
    .describe('Who does it. Default: defaults.agent, else the agent named like the task.'),
  ...behaviourShape,
  needs: needs.optional(),
  reads: listOf(keyPattern).optional().describe('Memory keys read.'),
  writes: listOf(keyPattern)
    .optional()
    .describe('Memory keys written; without a dot: <agent>.<key>.'),
  with: template.optional().describe('The input; strings may hold ${...} expressions.'),
  when: template
    .optional()
    .describe('Runs only if this holds: ${...}, !${...}, or ${...} == value.'),
  priority: priority.optional().describe('1..10, higher first. Default 5; 7 in groups.'),
  estimate: estimate.optional(),
  complexity: complexity.optional(),
  weight: weight.optional().describe('How much its success counts in its group. Default 1.'),
  files: files.optional(),
  not_before: startTime
    .optional()
    .describe('It does not start before: a time from the start of the run, or a date.'),
  timeout: positiveDuration.optional().describe('Per attempt, from dispatch.'),
  deadline: positiveDuration.optional().describe('Total, queueing included.'),
  retry: retry.optional(),
  ...recoveryShape,
  idempotent: flag.optional().describe("Doing its work twice does no harm. Default: its agent's."),
  hedge: hedge.optional().describe("A further attempt beside a slow one. Default: its agent's."),
  resources: demand.optional().describe('Units held while an attempt runs.'),
  exclusive: listOf(kindName).optional().describe('Locks held while an attempt runs.'),
  locks: listOf(lock).optional().describe('Locks to read or to write under.'),
  workspace: workspace.optional(),
  pool: id.optional().describe("A name under pools. Default: its agent's."),
  default: template.optional().describe('Output used when the task does not succeed.'),
  shards: shards.optional(),
  aspects: aspects.optional(),
  for_each: forEach.optional().describe('One member per item of a list.'),
  aggregate: aggregate.optional().describe('How members become the output. Default list.'),
  barrier: barrier
    .optional()
    .describe('For shards, aspects and for_each: when waiting for the members is over.'),
  max_rounds: z
    .int()
    .min(0)
    .optional()
    .describe('How often a validation may send it back. Default 1.'),
});

/** Values for tasks that say nothing themselves. */
export const defaults = block('defaults', 'Values for tasks that say nothing themselves.', {
  breaker: breaker.optional().describe('For agents, providers and models that say none.'),
  timeout: positiveDuration.optional(),
  retry: retry.optional(),
  ...recoveryShape,
  priority: priority.optional(),
  agent: id.optional(),
  estimate: estimate.optional(),
});
