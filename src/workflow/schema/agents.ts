import { z } from 'zod';
import { block } from './block.ts';
import { id, keyPattern, kindName } from './names.ts';
import { bytes, count } from './numbers.ts';
import { agentBudget } from './providers.ts';
import { breaker, health, hedge } from './reliability.ts';
import { secretNames } from './secrets.ts';
import { flag, listOf, named, oneOf, template, text } from './shapes.ts';
import { duration } from './times.ts';

const limits = block('agent_limits', 'Bounds of one agent.', {
  concurrency: count.optional().describe('Attempts of this agent at one time.'),
  max_output: bytes.optional().describe('Output accepted from one attempt. Default 8MB.'),
  max_memory: bytes.optional().describe('Heap of an isolated function. Default 256MB.'),
  kill_after: duration
    .optional()
    .describe('Time from the polite signal to the hard kill. Default 2s.'),
});

const uses = oneOf(['function', 'command', 'simulate']).describe('How the agent works.');

/** What says how work is done; also allowed on a task, for an agent of the task's own name. */
export const behaviourShape = {
  uses: uses.optional(),
  module: text
    .min(1)
    .optional()
    .describe('For function: ./file.mjs, a package, or host:NAME; "#export" may follow.'),
  export: text.min(1).optional().describe('For function: the export. Default: default.'),
  command: z
    .union([text.min(1), listOf(text).min(1)], {
      error: 'expected a command line or a list: program, arguments',
    })
    .optional()
    .describe('For command: the program and its arguments.'),
  secrets: secretNames.optional().describe('As in the document: what is never journaled.'),
  env: listOf(text.min(1)).optional().describe('For command: environment variables passed on.'),
  limits: limits.optional(),
  isolate: oneOf(['inline', 'thread', 'process'])
    .optional()
    .describe('Where a function runs. Default inline.'),
  owns: listOf(keyPattern)
    .optional()
    .describe('Memory keys that only this agent writes; without a dot: <agent>.<key>.'),
  provider: id
    .optional()
    .describe('What it calls: a name under providers. Each attempt of a command is one call.'),
  model: kindName.optional().describe('Model of the provider, for its limits.'),
};

/** A folder of its own for each attempt. */
export const workspace = z.union(
  [
    flag,
    block('workspace', 'A folder of its own for each attempt.', {
      from: text.min(1).optional().describe('Folder that it is filled from. Default: it is empty.'),
      into: text
        .min(1)
        .optional()
        .describe('Folder that what was written is merged into. Default: it is not merged.'),
      merge: oneOf(['copy', 'none']).optional().describe('Default copy, with into.'),
    }),
  ],
  { error: 'expected true, or {from, into, merge}' },
);

/** A declared specialist. */
export const agent = block('agent', 'A specialist that works on tasks.', {
  description: text.optional(),
  ...behaviourShape,
  instances: count
    .optional()
    .describe('Equal ones to choose from: each attempt goes to the least loaded. Default 1.'),
  peers: listOf(id)
    .optional()
    .describe('Agents that can do its work: they are tried when it has failed.'),
  fallback_models: listOf(kindName)
    .optional()
    .describe('Models to go on with when its own has failed, in this order.'),
  workspace: workspace.optional().describe("For the agent's tasks that say none."),
  budget: agentBudget.optional(),
  breaker: breaker.optional().describe('Holds its tasks back when too many fail. Default: none.'),
  health: health.optional(),
  idempotent: flag.optional().describe('Doing its work twice does no harm. Default false.'),
  hedge: hedge.optional().describe('For its tasks that say none.'),
  pool: id.optional().describe('A name under pools: where its attempts run. Default: here.'),
  with: named(template, z.string())
    .optional()
    .describe('For simulate: defaults of duration and fail; for functions: config.'),
});
