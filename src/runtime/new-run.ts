import { toPlain } from '../core/plain.ts';
import type { PlainObject } from '../core/plain.ts';
import { recordFormat } from '../journal/record.ts';
import type { RunStarted } from '../journal/record.ts';
import type { Workflow } from '../workflow/model.ts';
import type { RunOptions } from './api.ts';
import { assertDurable } from './durability.ts';
import { engineVersion } from './engine-version.ts';
import { inputFor } from './inputs.ts';
import { checkSchedule } from './options.ts';
import type { TroupeConfig } from './options.ts';

/** What a new run is made from. */
export interface NewRun {
  readonly run: string;
  readonly workflow: Workflow;
  readonly input: PlainObject;
  readonly options: RunOptions;
}

/**
 * The first record of a new run.
 * @throws TroupeError for inputs and schedules that do not fit, and TRP_DURABILITY
 */
export function startOfNew(
  { run, workflow, input, options }: NewRun,
  { simulated, level }: Pick<TroupeConfig, 'simulated' | 'level'>,
): RunStarted {
  if (!simulated) assertDurable(workflow, level);
  return {
    type: 'run.started',
    run,
    format: recordFormat,
    engine: engineVersion,
    workflow: toPlain(scheduled(workflow, options)) as unknown as Workflow,
    source: options.source ?? '',
    input: inputFor(workflow, input),
    seed: options.seed ?? Math.floor(Math.random() * 2 ** 32),
    simulated,
  };
}

/** The document of a call: a path, a document as plain data, or a workflow. */
export async function readWorkflow(workflow: unknown): Promise<Workflow> {
  const { loadWorkflow, parseWorkflow } = await import('../workflow/validate.ts');
  return typeof workflow === 'string'
    ? loadWorkflow(workflow)
    : parseWorkflow(workflow as Workflow);
}

/** The caller's word on the run's schedule counts before the document's, key by key. */
function scheduled(workflow: Workflow, { schedule }: RunOptions): Workflow {
  if (schedule === undefined) return workflow;
  checkSchedule(schedule);
  return { ...workflow, schedule: { ...workflow.schedule, ...schedule } };
}
