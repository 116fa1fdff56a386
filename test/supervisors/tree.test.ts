import { describe, expect, it } from 'vitest';

import type { RunCore } from '../../src/supervisors/run/core.ts';
import { fold } from '../../src/journal/fold.ts';
import { Process } from '../support/tree-harness.ts';
import type { RunInProcess } from '../support/tree-harness.ts';
import { sim } from '../support/run-harness.ts';

const slow = {
  version: 1,
  name: 'slow',
  tasks: { a: sim(1_000), b: sim(5_000), c: sim(1_000, { needs: ['b'] }) },
};

function killGovernor(core: RunCore | undefined): void {
  core?.services.governor.send({ type: 'permits.request', scope: 'x', wishes: null } as never);
}

function killPool(core: RunCore | undefined): void {
  const agent = core?.book.agent(core.book.task('b').agent);
  if (agent) core?.services.pool(agent).send({ type: 'attempt.over', attempt: null } as never);
}

function outcomesOf(records: Parameters<typeof fold>[0]): { [task: string]: unknown } {
  return Object.fromEntries([...fold(records).tasks].map(([id, { outcome }]) => [id, outcome]));
}

describe('a governor that dies', () => {
  it('takes its runs with it, each resumable, and what finished is not done again', async () => {
    const process = new Process();
    const first = await process.begin('one', slow);
    process.clock.setTimeout(() => killGovernor(first.core), 2_000);
    await process.until(first);
    expect(first).toMatchObject({ end: 'faulted', error: { code: 'TRP_INTERNAL' } });
    expect(process.errors).toEqual(['governor']);

    const again = await process.begin('one', slow, { before: first.records });
    await process.until(again);
    expect(again.end).toBe('ended');
    expect(outcomesOf(again.records)).toEqual({ a: 'succeeded', b: 'succeeded', c: 'succeeded' });
    const starts = again.records.filter(({ type }) => type === 'task.started');
    expect(starts.map((record) => 'task' in record && record.task)).toEqual(['b', 'a', 'b', 'c']);
  });

  it('lets nothing start before everything of its runs has stopped', async () => {
    let running = 0;
    let most = 0;
    const work = (): Promise<null> => {
      most = Math.max(most, ++running);
      return new Promise((resolve) => {
        process.clock.setTimeout(() => {
          running--;
          resolve(null);
        }, 3_000);
      });
    };
    const process = new Process({ work }, 1);
    const document = {
      version: 1,
      name: 'stubborn',
      agents: { w: { uses: 'function', module: 'host:work', limits: { kill_after: '10s' } } },
      tasks: { a: { agent: 'w' } },
    };
    const first = await process.begin('one', document);
    await process.pass(1_000);
    killGovernor(first.core);
    // Begun while the tree is being restarted: it waits for that.
    const second = await process.begin('two', document);
    await process.until(first, second);
    expect([first.end, second.end]).toEqual(['faulted', 'ended']);
    expect(most).toBe(1);
  });

  it('again and again ends the process for runs, told once, and refuses every further run', async () => {
    const process = new Process();
    for (let death = 0; death < 30 && !process.errors.includes('root'); death++) {
      const run: RunInProcess = await process.begin(`run-${death}`, slow, {
        onOpened: () => process.clock.setTimeout(() => killGovernor(run.core), 10),
      });
      await process.until(run);
      expect(run.end).toBe('faulted');
    }
    const died = (actor: string): number => process.errors.filter((one) => one === actor).length;
    expect([died('governor'), died('engine'), died('root')]).toEqual([16, 4, 1]);
    const late = await process.begin('late', slow);
    expect(late).toMatchObject({ end: 'faulted', error: { code: 'TRP_RESTARTS_EXHAUSTED' } });
    expect(process.clock.step()).toBe(false);
  });
});

describe('a pool that dies', () => {
  it('loses its attempts, which are tried again only when they have ended', async () => {
    let running = 0;
    let most = 0;
    const work = ({ signal }: { signal: AbortSignal }): Promise<null> => {
      most = Math.max(most, ++running);
      return new Promise((resolve, reject) => {
        const timer = process.clock.setTimeout(() => {
          running--;
          resolve(null);
        }, 5_000);
        signal.addEventListener('abort', () => {
          process.clock.clearTimeout(timer);
          process.clock.setTimeout(() => {
            running--;
            reject(signal.reason as Error);
          }, 700);
        });
      });
    };
    const process = new Process({ work });
    const run = await process.begin('one', {
      version: 1,
      name: 'lost',
      agents: { w: { uses: 'function', module: 'host:work' } },
      tasks: { b: { agent: 'w' } },
    });
    process.clock.setTimeout(() => killPool(run.core), 2_000);
    await process.until(run);
    expect(run.end).toBe('ended');
    expect(outcomesOf(run.records)).toEqual({ b: 'succeeded' });
    expect(run.records.find(({ type }) => type === 'attempt.failed')).toMatchObject({
      error: { code: 'TRP_ATTEMPT_LOST', errorClass: 'lost' },
    });
    expect(most).toBe(1);
  });
});

describe('a run whose own actor dies', () => {
  it('tells whoever waits for it, stops what it has running, and harms no other run', async () => {
    const process = new Process();
    const other = await process.begin('other', slow);
    const dying = await process.begin('dying', slow, {
      onOpened: () => {
        throw new Error('nobody can be told');
      },
    });
    await process.until(other, dying);
    expect([other.end, dying.end]).toEqual(['ended', 'faulted']);
    expect(process.errors).toEqual(['dying']);
    const governor = process.system.services.governor as unknown as {
      getSnapshot(): { queue: { inUse(): object; waiting(): number } };
    };
    expect(governor.getSnapshot().queue.inUse()).toEqual({});
  });
});

describe('a part that no run needs', () => {
  it('is restarted alone: monitor, agents and their like take no run with them', async () => {
    const process = new Process();
    const run = await process.begin('one', slow);
    process.clock.setTimeout(() => {
      process.system.services.monitor.send({
        type: 'watch.begin',
        watch: { run: 'x', intervalMs: 1_000, sampled: failing },
      });
    }, 1);
    await process.until(run);
    expect(process.errors).toContain('monitor');
    expect(run.end).toBe('ended');
  });
});

function failing(): never {
  throw new Error('a watcher threw');
}
