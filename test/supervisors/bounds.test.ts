import { describe, expect, it } from 'vitest';

import { fold } from '../../src/journal/fold.ts';
import { boundsOf } from '../../src/runtime/bounds-options.ts';
import type { RunBounds } from '../../src/supervisors/run/run-bounds.ts';
import { sim } from '../support/run-harness.ts';
import { Process } from '../support/tree-harness.ts';

async function ran(bounds: RunBounds, tasks: object) {
  const process = new Process();
  Object.assign(process.system.services, { bounds });
  const run = await process.begin('one', { version: 1, name: 'bounds', tasks });
  await process.until(run);
  expect(run.end).toBe('ended');
  return { run, state: fold(run.records) };
}

const chain = {
  a: sim(1),
  b: sim(1, { needs: ['a'] }),
  c: sim(1, { needs: ['b'] }),
};

describe('the bounds of a run', () => {
  it('begin nothing new when its journal has its most records, and keep what finished', async () => {
    const { state } = await ran({ journalRecords: 4 }, chain);
    expect(state.tasks.get('a')).toMatchObject({ outcome: 'succeeded' });
    expect(state.tasks.get('b')).toMatchObject({
      outcome: 'failed',
      reason: 'run_too_large',
      error: { code: 'TRP_RUN_TOO_LARGE' },
    });
    expect(state.tasks.get('c')).toMatchObject({ reason: 'upstream_failed' });
  });

  it('count bytes where that is asked for', async () => {
    const { state } = await ran({ journalBytes: 200 }, chain);
    expect(state.tasks.get('a')).toMatchObject({ reason: 'run_too_large' });
  });

  it('fail a task that would be split into too many', async () => {
    const { state } = await ran({ members: 2 }, { a: sim(1, { for_each: [1, 2, 3] }) });
    expect(state.tasks.get('a')).toMatchObject({ error: { code: 'TRP_RUN_TOO_LARGE' } });
  });

  it('are known by name, and whole numbers from 1', () => {
    expect(boundsOf({ members: 5 })).toEqual({ members: 5 });
    for (const bounds of [{ members: 0 }, { members: 1.5 }, { memebrs: 5 }])
      expect(() => boundsOf(bounds as RunBounds)).toThrow(/bounds\./);
  });
});
