import { contentHash } from '../core/canonical.ts';
import { derivedIds } from '../core/ids.ts';
import type { PlainObject } from '../core/plain.ts';
import { SimulatedClock } from '../core/simulated-clock.ts';
import type { Workflow } from '../workflow/model.ts';
import type { RunHandle, RunOptions, Troupe } from './api.ts';
import type { TroupeConfig } from './options.ts';

/** What a simulated run needs. */
export interface SimulationOptions {
  readonly workflow: Workflow;
  readonly input: PlainObject;
  readonly options: RunOptions;
  readonly config: TroupeConfig;
  readonly open: (config: TroupeConfig) => Promise<Troupe>;
}

const defaultSeed = 1;

/** Only the document limits a simulated run. */
const unlimited = 1_000_000;

/**
 * Runs a workflow in a Troupe of its own under the simulated clock: the same supervisors and governor, in
 * virtual time. Id, times and choices follow from workflow, input and seed.
 */
export async function simulateRun({
  workflow,
  input,
  options,
  config,
  open,
}: SimulationOptions): Promise<RunHandle> {
  const seed = options.seed ?? defaultSeed;
  const clock = new SimulatedClock();
  const ids = derivedIds(contentHash({ workflow: workflow.hash, input, seed }));
  const troupe = await open({
    ...config,
    clock,
    ids,
    simulated: true,
    level: 'memory',
    dataDir: undefined,
    control: false,
    bus: 'embedded',
    journal: 'memory',
    adopt: false,
    takeRuns: 0,
    concurrency: unlimited,
    autoConcurrency: false,
    resources: {},
  });
  const handle = await troupe.run(workflow, input, { ...options, seed });
  let ended = false;
  const outcome = handle.outcome().finally(() => {
    ended = true;
  });
  void clock
    .runUntil(() => ended)
    .then(() => troupe.close())
    .catch(() => undefined);
  outcome.catch(() => undefined);
  return handle;
}
