import type { Clock } from '../../src/core/clock.ts';
import { Dice } from '../../src/simulation/dice.ts';
import { drawFaults } from '../../src/simulation/fault-plan.ts';
import type { FaultClass } from '../../src/simulation/fault-plan.ts';
import { violationsOf } from '../../src/simulation/invariants.ts';
import type { Violation } from '../../src/simulation/invariants.ts';
import { World } from '../../src/simulation/world.ts';
import type { WantedRun } from '../../src/simulation/world.ts';
import { Meter, scriptedFunctions } from '../adversarial/bodies.ts';
import { storyOf, workflowOf } from '../adversarial/chaos.ts';
import { scriptedLaws } from '../adversarial/stale-results.ts';

/** How long runs may take after everything has healed, in milliseconds of virtual time. */
const patienceMs = 8 * 3_600_000;

/** What came of a seed. */
export interface SeedResult {
  readonly seed: number;
  readonly hash: string;
  readonly trace: readonly string[];
  readonly faults: readonly FaultClass[];
  readonly violations: readonly Violation[];
}

/** Lives the world of a seed through. Undefined: its documents contradict themselves. */
export async function liveSeed(
  seed: number,
  allowed?: readonly FaultClass[],
): Promise<SeedResult | undefined> {
  const dice = new Dice(seed * 7 + 3);
  const processes = dice.between(1, 3);
  const runs = await runsOf(seed, dice);
  if (runs.length === 0) return undefined;
  const plan = drawFaults(seed, { processes, ...(allowed && { allowed }) });
  const meters: Meter[] = [];
  const world = new World({
    seed,
    plan,
    processes,
    runs,
    patienceMs,
    concurrency: dice.chance(0.3) ? dice.between(2, 4) : 1_000_000,
    functions: ({ clock }: { clock: Clock }) => {
      const meter = new Meter();
      meters.push(meter);
      return scriptedFunctions(clock, meter);
    },
  });
  const end = await world.live();
  await world.stop();
  const journals = await world.journals();
  return {
    seed,
    hash: world.trace.hash(),
    trace: world.trace.lines,
    faults: [...plan.classes],
    violations: violationsOf({ world, journals, end }, scriptedLaws),
  };
}

async function runsOf(seed: number, dice: Dice): Promise<WantedRun[]> {
  const count = dice.chance(0.3) ? 2 : 1;
  const runs: WantedRun[] = [];
  for (let index = 0; index < count; index++) {
    const { document, input } = storyOf(seed * 5 + index);
    const workflow = await workflowOf(document);
    if (workflow) runs.push({ workflow, input, simulated: false });
  }
  return runs;
}
