import { describe, expect, it } from 'vitest';
import { inheritedRecords } from '../../../src/journal/fork.ts';
import { createTroupe } from '../../../src/index.ts';
import type { TaskFunction } from '../../../src/actors/behaviours/behaviour.ts';

const document = {
  version: 1,
  agents: { a: { uses: 'function', module: 'host:work', owns: ['a.*'] } },
  tasks: {
    base: { agent: 'a' },
    bad: { agent: 'a', retry: 1, needs: ['base'] },
    after: { agent: 'a', needs: ['bad'] },
    beside: { agent: 'a', retry: 1 },
  },
};

interface World {
  readonly calls: string[];
  readonly broken: Set<string>;
  readonly work: TaskFunction;
}

function world(...broken: string[]): World {
  const calls: string[] = [];
  const bad = new Set(broken);
  return {
    calls,
    broken: bad,
    work: ({ memory, task }) => {
      calls.push(task);
      if (bad.has(task)) throw new Error('no');
      memory.set(`a.${task}`, calls.length);
      return `${task} ${memory.keys('a.*').join(' ')}`;
    },
  };
}

describe('a task of an ended run that is tried once more', () => {
  it('is opened with what its result goes into, and nothing else that has finished runs again', async () => {
    const { broken, calls, work } = world('bad', 'beside');
    const troupe = await createTroupe({ functions: { work } });
    try {
      const first = await (await troupe.run(document)).outcome();
      expect(first.status).toBe('failed');
      broken.clear();
      calls.length = 0;
      const handle = await troupe.retry(first.run_id, 'bad');
      const second = await handle?.outcome();
      expect(calls).toEqual(['bad', 'after']);
      expect(second?.tasks.map(({ id, outcome }) => `${id} ${outcome}`)).toEqual([
        'base succeeded',
        'bad succeeded',
        'after succeeded',
        'beside failed',
      ]);
    } finally {
      await troupe.close();
    }
  });

  it('may be one that had succeeded: it is new work', async () => {
    const { calls, work } = world();
    const troupe = await createTroupe({ functions: { work } });
    try {
      const { run_id } = await (await troupe.run(document)).outcome();
      calls.length = 0;
      const report = await (await troupe.retry(run_id, 'bad'))?.outcome();
      expect(calls).toEqual(['bad', 'after']);
      expect(report?.tasks.map(({ iterations }) => iterations)).toEqual([1, 2, 2, 1]);
      expect(report?.status).toBe('succeeded');
    } finally {
      await troupe.close();
    }
  });

  it('has to be one of the run', async () => {
    const { work } = world();
    const troupe = await createTroupe({ functions: { work } });
    try {
      const { run_id } = await (await troupe.run(document)).outcome();
      await expect(troupe.retry(run_id, 'nobody')).rejects.toMatchObject({
        code: 'TRP_TASK_STATE',
      });
    } finally {
      await troupe.close();
    }
  });
});

describe('a fork', () => {
  it('is a run of its own that takes over results and memory, and does the rest anew', async () => {
    const { broken, calls, work } = world('beside');
    const troupe = await createTroupe({ functions: { work } });
    try {
      const first = await (await troupe.run(document)).outcome();
      broken.clear();
      calls.length = 0;
      const handle = await troupe.fork(first.run_id, { from: 'after' });
      const report = await handle.outcome();
      expect(report.run_id).not.toBe(first.run_id);
      expect([...calls].sort()).toEqual(['after', 'beside']);
      expect(report.status).toBe('succeeded');
      expect(report.tasks[0]?.reason).toBe('reused');
      expect(report.recovery.forked).toEqual({ run: first.run_id, task: 'after' });
      const { outputs } = report as { outputs: { after?: string } };
      expect(outputs.after).toContain('a.bad');
      expect((await troupe.show(first.run_id)).status).toBe('failed');
    } finally {
      await troupe.close();
    }
  });

  it('takes over nothing of what depends on the task, nor what had not succeeded', async () => {
    const { work } = world('beside');
    const troupe = await createTroupe({ functions: { work } });
    try {
      const { run_id } = await (await troupe.run(document)).outcome();
      const { inherited } = inheritedRecords(await troupe.records(run_id), 'bad');
      const tasks = inherited.flatMap((record) =>
        record.type === 'task.reused' || record.type === 'memory.committed' ? [record.task] : [],
      );
      expect(tasks).toEqual(['base', 'base']);
    } finally {
      await troupe.close();
    }
  });
});
