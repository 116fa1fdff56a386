import { mergerNames } from '../mergers.ts';
import { z } from 'zod';
import { adaptation, monitoring } from './adaptation.ts';
import { agent } from './agents.ts';
import { block } from './block.ts';
import { busChoice } from './bus.ts';
import { group, tier } from './groups.ts';
import { keyPattern, kindName } from './names.ts';
import { count, units } from './numbers.ts';
import { pool } from './pools.ts';
import { barrier } from './policies.ts';
import { budget, provider } from './providers.ts';
import { breakers, health } from './reliability.ts';
import { flag, listOf, named, oneOf, template, text } from './shapes.ts';
import { secretNames } from './secrets.ts';
import { positiveDuration } from './times.ts';
import { ladder } from './recovery.ts';
import { defaults, task } from './tasks.ts';

const capacity = z.union([units, block('resource', 'A resource kind.', { units })], {
  error: 'expected a number of units',
});

/** How many tasks may work with memory at one time; the same under `memory` and under its source spelling. */
const accessShape = {
  readers: count.optional().describe('Tasks that read memory at one time.'),
  writers: count.optional().describe('Tasks that write memory at one time.'),
  lock_timeout: positiveDuration
    .optional()
    .describe('How long a task may wait for its turn. Default: without end.'),
};

const resources = block('resources', 'What attempts compete for.', {
  concurrency: z
    .union([z.int().min(1), z.literal('auto')], { error: 'expected 1 or more, or auto' })
    .optional()
    .describe(
      'Attempts of a run at one time; auto: chosen when the run begins, from its work and the process.',
    ),
  cpu: capacity.optional().describe('Units. Default 100.'),
  memory: capacity.optional().describe('Units. Default 100.'),
  cpu_oversubscription: units
    .optional()
    .describe('Multiplies the cpu units that may be given out. Default 1.'),
  context_store: block(
    'context_store',
    'How many tasks may work with memory at one time.',
    accessShape,
  ).optional(),
  allocation_strategy: z
    .literal('priority_based_fair_sharing', {
      error: 'expected priority_based_fair_sharing, which is how permits are given out',
    })
    .optional(),
  context_queuing: z.literal(true, { error: 'expected true: who cannot start waits' }).optional(),
  memory_strict: z
    .literal(true, { error: 'expected true: memory is never oversubscribed' })
    .optional(),
});

const memoryKey = block('memory_key', 'How concurrent writes to a key are combined.', {
  merge: oneOf(mergerNames),
  type: oneOf(['auto', 'text', 'structured'])
    .optional()
    .describe('For three_way: what is merged. Default auto: texts by line, mappings by key.'),
  schema: template
    .optional()
    .describe('What a merged value must look like: type, enum, required, properties, items.'),
});

const memory = block('memory', "The run's shared keys.", {
  ...accessShape,
  keys: z
    .record(keyPattern, memoryKey, { error: 'expected a mapping of key patterns' })
    .optional()
    .describe('The first pattern that fits counts.'),
});

const input = block('input', 'A value that the run is given.', {
  default: template.optional(),
  required: flag.optional().describe('Default: true without a default.'),
  description: text.optional(),
});

const schedule = block('schedule', 'How a run stands beside other runs of the process.', {
  share: z
    .number({ error: 'expected a number above 0' })
    .positive({ error: 'expected a number above 0' })
    .optional()
    .describe('How much more than a run of share 1 it may use. Default 1.'),
  class: oneOf(['interactive', 'normal', 'batch'])
    .optional()
    .describe('A higher class goes first; a lower one keeps a part. Default normal.'),
});

/** Named resource kinds stand beside the known keys, so the block takes any name; the check for near misses is elsewhere. */
const resourcesWithNames = resources.catchall(capacity);

/** The whole document. */
export const documentSchema = block('document', 'A Troupe workflow.', {
  $schema: text.optional().describe('For editors.'),
  version: z.literal(1, { error: 'expected version 1' }).optional(),
  name: text.min(1).max(200).optional().describe('Default: workflow.'),
  description: text.optional(),
  inputs: named(z.union([input, template]))
    .optional()
    .describe('Name to {default, required, description}, or to the default value.'),
  defaults: defaults.optional(),
  agents: named(agent).optional(),
  tasks: named(task).describe('The work, by name.'),
  groups: named(group).optional(),
  escalation: ladder
    .optional()
    .describe('The ladder of the run, for tasks that are handed up to it.'),
  tiers: listOf(tier).optional().describe('Ordered stages.'),
  barrier_synchronization: barrier
    .optional()
    .describe('The barrier of groups and parallel tiers, for what they do not say themselves.'),
  resources: resourcesWithNames.optional(),
  adaptation: adaptation
    .optional()
    .describe('Change limits, group sizes, timeouts and order by what is measured. Default false.'),
  monitoring: monitoring.optional(),
  schedule: schedule.optional(),
  secrets: secretNames.optional().describe('What is never journaled, shown or logged.'),
  providers: named(provider).optional().describe('Services that agents call, and their limits.'),
  pools: named(pool).optional().describe('Where work is done: slots here or on worker hosts.'),
  budget: budget.optional(),
  breakers: breakers.optional(),
  health: health.optional().describe('Of the run, its pools, and agents that say none.'),
  memory: memory.optional(),
  durability: oneOf(['memory', 'process', 'power'])
    .optional()
    .describe('The least that records must survive; a process that gives less refuses the run.'),
  bus: busChoice
    .optional()
    .describe('Where the run is shown and shared. Default: what the process says, else embedded.'),
  outputs: named(template, kindName)
    .optional()
    .describe('What the run gives back. Default: the outputs of its last tasks.'),
  deadline: positiveDuration.optional().describe('Total time of the run.'),
}).meta({ title: 'Troupe workflow', description: 'The document that Troupe runs.' });
