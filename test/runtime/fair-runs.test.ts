import { describe, expect, it } from 'vitest';
import { SimulatedClock } from '../../src/core/simulated-clock.ts';
import { createTroupe } from '../../src/runtime/troupe.ts';
import { fourLoads, together } from '../bench/four-runs.mjs';

const small = fourLoads.map((load) => ({ ...load, tasks: load.tasks / 8 }));
const runtime = { createTroupe, SimulatedClock };

describe('four runs that share a process, heavy and light', () => {
  it('are slowed down alike, in no more time than by priority alone', async () => {
    const fair = await together(runtime, fourLoads, 'fair');
    const plain = await together(runtime, fourLoads, 'plain');
    expect(plain.jain).toBeLessThan(0.8);
    expect(fair.jain).toBeGreaterThanOrEqual(0.985);
    expect(fair.makespanMs).toBeLessThanOrEqual(1.04 * plain.makespanMs);
    expect(Math.max(...fair.slowdowns)).toBeLessThanOrEqual(fourLoads.length);
  });

  it('share it in the same way every time', async () => {
    const [first, second] = [
      await together(runtime, small, 'fair'),
      await together(runtime, small, 'fair'),
    ];
    expect(second).toEqual(first);
  });
});

describe('a run', () => {
  const document = (tasks: number): object => ({
    version: 1,
    name: 'claims',
    tasks: Object.fromEntries(
      Array.from({ length: tasks }, (_, index) => [
        `t${index}`,
        { uses: 'simulate', with: { duration: 1000 } },
      ]),
    ),
  });

  /** When the runs end that are started together, in order, with these schedules. */
  async function endsOf(schedules: readonly object[]): Promise<number[]> {
    const clock = new SimulatedClock();
    const troupe = await createTroupe({ clock, concurrency: 4 });
    const handles = [];
    for (const schedule of schedules) {
      handles.push(await troupe.run({ ...document(24), schedule }));
    }
    const reports = Promise.all(handles.map((handle) => handle.outcome()));
    let ended = false;
    void reports.finally(() => {
      ended = true;
    });
    await clock.runUntil(() => ended);
    const ends = (await reports).map(({ tasks }) =>
      Math.max(...tasks.map(({ finished_ms: end }) => end ?? Infinity)),
    );
    await troupe.close();
    return ends;
  }

  // The one that was there first had all four slots for the first second.
  it('of three times the share is through first, and the other goes on meanwhile', async () => {
    expect(await endsOf([{ share: 1 }, { share: 3 }])).toEqual([12_000, 9000]);
  });

  it('of a higher class goes before one that was there first', async () => {
    const [batch = 0, interactive = 0] = await endsOf([
      { class: 'batch' },
      { class: 'interactive' },
    ]);
    expect(interactive).toBeLessThanOrEqual(8000);
    expect(batch).toBe(12_000);
  });

  it.each([{ share: 0 }, { share: Number.NaN }, { class: 'urgent' as 'batch' }])(
    'is refused the schedule %j',
    async (schedule) => {
      const troupe = await createTroupe();
      await expect(troupe.run(document(1), {}, { schedule })).rejects.toMatchObject({
        code: 'TRP_OPTION_INVALID',
      });
      await troupe.close();
    },
  );

  it('is refused a schedule with a key that it does not have, with the nearest name', async () => {
    const troupe = await createTroupe();
    const schedule = { shares: 1 } as object;
    await expect(troupe.run(document(1), {}, { schedule })).rejects.toMatchObject({
      code: 'TRP_OPTION_INVALID',
      message: expect.stringContaining('schedule.shares'),
      hint: 'Did you mean "share"?',
    });
    await troupe.close();
  });

  it('that demands more than the process shares fails with the reason', async () => {
    const troupe = await createTroupe({ resources: { cpu: 10 } });
    const task = { uses: 'simulate', with: { duration: 1 }, resources: { cpu: 11 } };
    const handle = await troupe.run({ version: 1, name: 'greedy', tasks: { task } });
    const report = await handle.outcome();
    expect(report.tasks[0]).toMatchObject({
      outcome: 'failed',
      error: { code: 'TRP_WORKFLOW_UNSATISFIABLE' },
    });
    await troupe.close();
  });
});
