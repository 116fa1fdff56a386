import { describe, expect, it } from 'vitest';

import { drawFaults } from '../../src/simulation/fault-plan.ts';
import type { Episode, FaultClass } from '../../src/simulation/fault-plan.ts';
import { censusOf } from '../../src/simulation/census.ts';
import { violationsOf } from '../../src/simulation/invariants.ts';
import type { SimulatedProcess } from '../../src/simulation/simulated-process.ts';
import { World } from '../../src/simulation/world.ts';
import type { WantedRun } from '../../src/simulation/world.ts';
import { ignoreLateAcknowledgements } from '../adversarial/quiet.ts';
import { scenarioOf, Witness } from './scenario.ts';

ignoreLateAcknowledgements();

const dayMs = 24 * 3_600_000;

/** Runs of one day, one every few minutes. */
const runCount = 240;

/** What befalls the processes of a day: something every quarter of an hour. */
function troubles(): Episode[] {
  const faults: readonly FaultClass[] = ['crash', 'restart', 'pause', 'partition'];
  return Array.from({ length: 90 }, (_, index) => ({
    atMs: (index + 1) * 900_000,
    fault: faults[index % faults.length] as FaultClass,
    process: index % 2,
    forMs: 20_000,
  }));
}

async function manyRuns(): Promise<WantedRun[]> {
  const runs: WantedRun[] = [];
  for (let seed = 1; runs.length < runCount; seed++) runs.push(...(await scenarioOf(seed)).runs);
  return runs.slice(0, runCount);
}

function isRunning({ clock, atRest }: SimulatedProcess): boolean {
  return clock.isAlive && atRest === undefined;
}

describe('a day of virtual time', () => {
  it('with a run every six minutes and faults all day leaves nothing behind', async () => {
    const plan = drawFaults(11, { processes: 2, allowed: ['bus', 'throw', 'slow', 'stray'] });
    const world = new World({
      seed: 11,
      plan: { ...plan, episodes: troubles(), healMs: dayMs },
      processes: 2,
      runs: await manyRuns(),
      everyMs: dayMs / runCount,
      concurrency: 8,
      patienceMs: 4 * 3_600_000,
      functions: ({ clock }) => new Witness(new Map()).functions(clock),
    });
    const lived: number[] = [];
    const timers: number[] = [];
    for (let hour = 1; hour <= 24; hour++) {
      world.clock.setTimeout(
        () => {
          const alive = world.processes.filter(isRunning);
          const census = alive.map((process) => censusOf(process));
          lived.push(census.reduce((sum, { actors }) => sum + actors, 0));
          timers.push(census.reduce((sum, one) => sum + one.timers + one.deadlines, 0));
        },
        hour * 3_600_000 - 1,
      );
    }
    const end = await world.live();
    await world.stop();
    expect(end).toBe('ended');
    expect(world.accepted.length).toBeGreaterThanOrEqual(runCount);
    const journals = await world.journals();
    expect(violationsOf({ world, journals, end })).toEqual([]);
    // What lives does not grow with the day: it is bounded by the runs of one moment.
    expect(Math.max(...lived)).toBeLessThanOrEqual(24);
    expect(Math.max(...timers)).toBeLessThanOrEqual(60);
  }, 300_000);
});
