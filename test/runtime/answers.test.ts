import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TaskFunction } from '../../src/actors/behaviours/behaviour.ts';
import type { JournalRecord } from '../../src/journal/record.ts';
import type { Troupe } from '../../src/runtime/api.ts';
import { createTroupe } from '../../src/runtime/troupe.ts';
import { eventually } from '../support/eventually.ts';

let dataDir = '';
const troupes: Troupe[] = [];
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'troupe-answers-'));
});
afterEach(async () => {
  await Promise.all(troupes.splice(0).map((troupe) => troupe.close()));
  await rm(dataDir, { recursive: true, force: true });
});

const begun: string[] = [];
const writing =
  (value: string): TaskFunction =>
  ({ task, memory }) => {
    begun.push(task);
    memory.set('shared.plan', value);
    return value;
  };

let isFailing = true;
const functions: { readonly [name: string]: TaskFunction } = {
  a: writing('by a'),
  b: writing('by b'),
  fails: ({ task }) => {
    begun.push(task);
    if (isFailing) throw new Error('no');
    return 'done';
  },
  hangs: ({ task, signal }) => {
    begun.push(task);
    if (!isFailing) return 'done';
    return new Promise((_, reject) =>
      signal.addEventListener('abort', () => reject(signal.reason)),
    );
  },
};

async function open(): Promise<Troupe> {
  const troupe = await createTroupe({ dataDir, control: false, functions });
  troupes.push(troupe);
  return troupe;
}

const task = (name: string, rest: object = {}): object => ({
  uses: 'function',
  module: `host:${name}`,
  ...rest,
});

const clashing = (more: { readonly [name: string]: object } = {}): object => ({
  version: 1,
  memory: { keys: { 'shared.plan': { merge: 'manual' } } },
  tasks: {
    a: task('a', { writes: ['shared.plan'] }),
    b: task('b', { writes: ['shared.plan'] }),
    ...more,
  },
  groups: { both: { tasks: ['a', 'b'] } },
  outputs: { plan: '${memory.shared.plan}' },
});

const openIn = (records: readonly JournalRecord[]): number =>
  records.find((record) => record.type === 'conflict.recorded' && record.open)?.seq ?? 0;

beforeEach(() => {
  begun.length = 0;
  isFailing = true;
});

describe('an answer to a conflict of a run that nobody carries', () => {
  it('lets a run that had ended for it end anew, and runs nothing', async () => {
    const troupe = await open();
    const handle = await troupe.run(clashing());
    expect(await handle.outcome()).toMatchObject({ status: 'partial', reason: 'conflicts_open' });
    begun.length = 0;
    const before = await troupe.records(handle.id);
    await troupe.resolveConflict(handle.id, openIn(before), {
      choice: 'value',
      value: 7,
      by: 'me',
    });
    const after = (await troupe.records(handle.id)).slice(before.length).map(({ type }) => type);
    expect(after).toEqual(['lease.taken', 'memory.committed', 'conflict.resolved', 'run.ended']);
    expect(await troupe.show(handle.id)).toMatchObject({
      status: 'succeeded',
      outputs: { plan: 7 },
      conflicts: { open: 0 },
    });
    expect(begun).toEqual([]);
  });

  it('leaves a failed run failed, and its failed task alone', async () => {
    const troupe = await open();
    const handle = await troupe.run(clashing({ c: task('fails', { retry: 1 }) }));
    expect((await handle.outcome()).status).toBe('failed');
    begun.length = 0;
    const conflict = openIn(await troupe.records(handle.id));
    isFailing = false;
    await troupe.resolveConflict(handle.id, conflict, { choice: 'mine', by: 'me' });
    expect(await troupe.show(handle.id)).toMatchObject({
      status: 'failed',
      reason: 'tasks_failed',
      conflicts: { open: 0 },
    });
    expect(begun).toEqual([]);
    expect((await (await troupe.resume(handle.id)).outcome()).status).toBe('succeeded');
    expect(begun).toEqual(['c']);
  });

  it('does not go on with a run that was interrupted, which goes on when it is resumed', async () => {
    const first = await open();
    const handle = await first.run(clashing({ c: task('hangs', { needs: ['both'] }) }));
    await eventually('the last task runs', () => begun.includes('c'));
    await first.close();
    begun.length = 0;
    const second = await open();
    const conflict = openIn(await second.records(handle.id));
    await second.resolveConflict(handle.id, conflict, { choice: 'mine', by: 'me' });
    expect(begun).toEqual([]);
    expect((await second.records(handle.id)).at(-1)?.type).toBe('conflict.resolved');
    isFailing = false;
    const report = await (await second.resume(handle.id)).outcome();
    expect([report.status, begun]).toEqual(['succeeded', ['c']]);
  });

  it('is refused when the conflict is not open, and the run can be taken over all the same', async () => {
    const troupe = await open();
    const handle = await troupe.run(clashing());
    await handle.outcome();
    const conflict = openIn(await troupe.records(handle.id));
    const answer = { choice: 'theirs', by: 'me' } as const;
    await expect(troupe.resolveConflict(handle.id, 1, answer)).rejects.toMatchObject({
      code: 'TRP_CONFLICT_UNKNOWN',
    });
    const both = await Promise.allSettled([
      troupe.resolveConflict(handle.id, conflict, answer),
      troupe.resolveConflict(handle.id, conflict, answer),
    ]);
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect((await troupe.show(handle.id)).status).toBe('succeeded');
  });
});
