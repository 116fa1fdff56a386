import { describe, expect, it } from 'vitest';

import type { TaskFunction } from '../../src/actors/behaviours/behaviour.ts';
import type { RunCore } from '../../src/supervisors/run/core.ts';
import { Process } from '../support/tree-harness.ts';

/** Attempts that live until they are told to end, and when they were told; some never listen. */
class Attempts {
  readonly told: number[] = [];
  live = 0;
  process: Process | undefined;

  readonly work: TaskFunction = ({ signal, input }) => {
    this.live++;
    const isDeaf = (input as { deaf?: boolean } | null)?.deaf === true;
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => {
        this.told.push(this.process?.clock.now() ?? -1);
        this.live--;
        if (!isDeaf) reject(signal.reason as Error);
        else this.process?.clock.setTimeout(() => resolve('far too late'), 60_000);
      });
    });
  };
}

const count = 1_000;

function crowd(deaf: boolean): object {
  const input = { deaf };
  return {
    version: 1,
    name: 'crowd',
    agents: { w: { uses: 'function', module: 'host:work', limits: { kill_after: '2s' } } },
    tasks: {
      all: { agent: 'w', for_each: '${input.items}', with: input },
      next: { agent: 'w', needs: ['all'] },
    },
  };
}

async function begun(deaf: boolean) {
  const attempts = new Attempts();
  const process = new Process({ work: attempts.work });
  attempts.process = process;
  const items = Array.from({ length: count }, (_, index) => index);
  const run = await process.begin('one', crowd(deaf), { input: { items } });
  await process.pass(10);
  expect(attempts.live).toBe(count);
  return { attempts, process, run };
}

function cancel(core: RunCore | undefined): void {
  core?.self.send({ type: 'run.cancel', by: 'test' });
}

describe('a run with a thousand live attempts that is cancelled', () => {
  it('has signalled every one of them when the turn that takes the cancel is over', async () => {
    const { attempts, process, run } = await begun(false);
    cancel(run.core);
    // No time has passed, and no promise has settled since.
    expect(attempts.told).toHaveLength(count);
    expect(new Set(attempts.told)).toEqual(new Set([process.clock.now()]));
    await process.until(run);
    expect(run.end).toBe('ended');
    expect(process.clock.now()).toBe(10);
  });

  it('gives each an entry in the census, and none of them runs or starts again', async () => {
    const { process, run } = await begun(false);
    cancel(run.core);
    await process.until(run);
    const { tasks } = run.core?.ledger.state ?? { tasks: new Map() };
    const ends = [...tasks.values()].map(({ id, outcome }) => [id, outcome] as const);
    expect(ends.filter(([id]) => id.startsWith('all['))).toHaveLength(count);
    expect(new Set(ends.map(([, outcome]) => outcome))).toEqual(new Set(['cancelled']));
    expect(run.records.filter(({ type }) => type === 'task.started')).toHaveLength(count);
  });

  it('waits for those that do not listen as long as their kill time, and refuses what they bring later', async () => {
    const { attempts, process, run } = await begun(true);
    cancel(run.core);
    expect(attempts.told).toHaveLength(count);
    await process.until(run);
    expect(run.end).toBe('ended');
    expect(process.clock.now()).toBe(10 + 2_000);
    const written = run.records.length;
    await process.pass(100_000);
    expect(run.records).toHaveLength(written);
    expect(run.records.some(({ type }) => type === 'task.succeeded')).toBe(false);
  });
});
