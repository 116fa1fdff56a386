import { describe, expect, it } from 'vitest';
import { SimulatedClock } from '../../../src/core/simulated-clock.ts';
import { reportOf } from '../../../src/runtime/reporting.ts';
import type { System } from '../../../src/runtime/system.ts';
import { parseWorkflow } from '../../../src/workflow/validate.ts';
import { OneProcess } from '../../adversarial/one-process.ts';
import type { LateRun } from '../../adversarial/one-process.ts';

interface Watched {
  readonly process: OneProcess;
  readonly clock: SimulatedClock;
  readonly run: LateRun;
}

const simulated = (duration: number, more: object = {}): object => ({
  uses: 'simulate',
  with: { duration },
  ...more,
});

/** @param isLost requests for permits of these tasks never reach the governor. */
async function started(
  tasks: { readonly [id: string]: object },
  isLost: (id: string) => boolean = () => false,
): Promise<Watched> {
  const clock = new SimulatedClock(0);
  const process = new OneProcess({ clock });
  loseRequests(process, isLost);
  const document = { version: 1, name: 'stuck', tasks };
  const workflow = await parseWorkflow(document as never, { baseDir: '/' });
  return { process, clock, run: process.start({ workflow }) };
}

/** Stands between the runs of a process and its governor. */
function loseRequests(process: OneProcess, isLost: (id: string) => boolean): void {
  const { services } = (process as unknown as { readonly system: System }).system;
  const { governor } = services;
  const send: typeof governor.send = (event) => {
    if (event.type !== 'permits.request') return governor.send(event);
    const wishes = event.wishes.filter(({ id }) => !isLost(id));
    if (wishes.length > 0) governor.send({ ...event, wishes });
  };
  Object.assign(services, { governor: { send, getSnapshot: () => ({}) } });
}

/** What stands in the report of the process that carries the run. */
function stuckIn({ run, clock }: Watched): readonly string[] {
  const { ledger, graph, stuck } = run.core;
  return reportOf(ledger.state, graph, { now: clock.now(), stuck }).recovery.stuck;
}

async function after(watched: Watched, ms: number): Promise<void> {
  const end = watched.clock.now() + ms;
  watched.clock.setTimeout(() => undefined, ms);
  await watched.clock.runUntil(() => watched.clock.now() >= end);
}

describe('a run whose request for a permit was lost', () => {
  it('says in its log and its report within 5 s where it is stuck, and says it once', async () => {
    const watched = await started(
      { a: simulated(10), b: simulated(10, { needs: ['a'] }), c: simulated(10, { needs: ['b'] }) },
      (id) => id === 'b',
    );
    await after(watched, 5_100);
    const { process, run } = watched;
    expect(run.end).toBe('running');
    expect(stuckIn(watched)).toEqual(['b', 'c']);
    await after(watched, 60_000);
    expect(process.deaths.filter((line) => line.includes('is stuck'))).toEqual([
      expect.stringContaining('run run-test is stuck: nothing will ever start b, c'),
    ]);
    run.cancel();
    await watched.clock.runUntil(() => run.end !== 'running');
    expect(run.end).toBe('ended');
    await process.stop();
  });

  it('is not stuck as long as something else of it runs', async () => {
    const watched = await started({ a: simulated(20_000), b: simulated(10) }, (id) => id === 'b');
    await after(watched, 19_000);
    expect(stuckIn(watched)).toEqual([]);
    await after(watched, 7_000);
    expect(stuckIn(watched)).toEqual(['b']);
    watched.run.cancel();
    await watched.clock.runUntil(() => watched.run.end !== 'running');
    await watched.process.stop();
  });
});

describe('a run that waits for a reason', () => {
  const fails = simulated(1, { with: { duration: 1, fail: [1, 2, 3] }, retry: 1 });
  it.each([
    ['a time', simulated(10, { not_before: '1h' })],
    ['a backoff', simulated(10, { with: { duration: 10, fail: [1] }, retry: { initial: '1m' } })],
    ['a person', { ...fails, escalation: [{ rung: 'person', deadline: '1h' }] }],
    ['a pause', { ...fails, on_exhausted: 'pause' }],
  ])('is not stuck: %s', async (_, task) => {
    const watched = await started({ a: task });
    await after(watched, 30_000);
    expect(watched.run.end).toBe('running');
    expect(stuckIn(watched)).toEqual([]);
    expect(watched.process.deaths).toEqual([]);
    watched.run.cancel();
    await watched.clock.runUntil(() => watched.run.end !== 'running');
    await watched.process.stop();
  });
});
