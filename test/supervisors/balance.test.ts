import { describe, expect, it } from 'vitest';
import { SimulatedClock } from '../../src/core/simulated-clock.ts';
import { runSimulated } from '../../src/testing.ts';
import type { TaskContext, TaskFunction } from '../../src/actors/behaviours/behaviour.ts';
import { carryOut, sim } from '../support/run-harness.ts';

describe('skewed tasks on slots', () => {
  it('are through no later than a list of the largest first: 40 tasks on 10 slots', async () => {
    const sizes = Array.from({ length: 40 }, (_, index) => 1000 + ((index * 7919) % 40) ** 2 * 10);
    const tasks = Object.fromEntries(
      sizes.map((ms, index) => [`t${index}`, sim(ms, { estimate: ms, priority: 5 })]),
    );
    const { report } = await carryOut({
      document: { version: 1, name: 'skewed', tasks, resources: { concurrency: 10 } },
    });
    expect(report.metrics.wall_ms).toBeLessThanOrEqual(sharedOut(sizes, 10));
  });
});

/** When the last of several is through, if the pieces are shared out beforehand: the largest first, each to whoever has least. */
function sharedOut(sizes: readonly number[], members: number): number {
  const loads = Array.from({ length: members }, () => 0);
  for (const size of sizes.toSorted((a, b) => b - a)) {
    const least = loads.indexOf(Math.min(...loads));
    loads[least] = (loads[least] ?? 0) + size;
  }
  return Math.max(...loads);
}

/** An agent of several instances, each as slow as it is; those that are down fail at once. */
function instances(clock: SimulatedClock, delays: readonly number[], down: readonly number[] = []) {
  const used: number[] = [];
  const work: TaskFunction = ({ instance }: TaskContext) => {
    used.push(instance);
    if (down.includes(instance)) throw new Error(`instance ${instance} is down`);
    return new Promise((resolve) =>
      clock.setTimeout(() => resolve(instance), delays[instance - 1] ?? 0),
    );
  };
  return { used, work };
}

function document(count: number, tasks: number): object {
  return {
    version: 1,
    name: 'instances',
    agents: {
      worker: {
        uses: 'function',
        module: 'host:work',
        instances: count,
        limits: { concurrency: 2 * count },
      },
    },
    tasks: Object.fromEntries(
      Array.from({ length: tasks }, (_, index) => [
        `t${index}`,
        { agent: 'worker', retry: { max_attempts: 2, backoff: 'none' } },
      ]),
    ),
  };
}

describe('an agent of several instances', () => {
  it('gives each attempt to the least loaded, judged by response time', async () => {
    const clock = new SimulatedClock();
    const { used, work } = instances(clock, [100, 100, 1000]);
    const { report } = await runSimulated(document(3, 60), { clock, functions: { work } });
    expect(report.status).toBe('succeeded');
    expect(used.slice(0, 6).toSorted((a, b) => a - b)).toEqual([1, 1, 2, 2, 3, 3]);
    const count = (wanted: number): number => used.filter((instance) => instance === wanted).length;
    expect(count(3)).toBeLessThan(count(1) / 3);
    expect(Math.abs(count(1) - count(2))).toBeLessThanOrEqual(4);
  });

  it('fails over to another instance, and leaves the one that fails alone', async () => {
    const clock = new SimulatedClock();
    const { used, work } = instances(clock, [100, 100, 100], [2]);
    const { report } = await runSimulated(document(3, 60), { clock, functions: { work } });
    expect(report.status).toBe('succeeded');
    expect(used.filter((instance) => instance === 2).length).toBeLessThanOrEqual(4);
  });

  it('of one instance is told that it is the first', async () => {
    const clock = new SimulatedClock();
    const { used, work } = instances(clock, [1]);
    await runSimulated(document(1, 2), { clock, functions: { work } });
    expect(used).toEqual([1, 1]);
  });
});
