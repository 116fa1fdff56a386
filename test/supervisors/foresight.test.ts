import { describe, expect, it } from 'vitest';

import type { JournalRecord } from '../../src/journal/record.ts';
import { carryOut, sim } from '../support/run-harness.ts';

function writer(ms: number, key: string, rest: object = {}): object {
  return sim(ms, { writes: [key], with: { writes: { [key]: ms } }, ...rest });
}

async function foreseen(tasks: object, rest: object = {}): Promise<JournalRecord[]> {
  const { records } = await carryOut({
    document: {
      version: 1,
      tasks,
      groups: { g: { tasks: Object.keys(tasks).filter((id) => id !== 'first') } },
      ...rest,
    },
  });
  return records.filter(({ type }) => type === 'conflict.foreseen');
}

describe('a conflict in a group', () => {
  it('is told as soon as two members that declare one key work', async () => {
    const tasks = { a: writer(10, 'shared.key'), b: writer(90, 'shared.key'), c: sim(50) };
    expect(await foreseen(tasks)).toMatchObject([
      { group: 'g', key: 'shared.key', rule: 'first_writer_wins', tasks: ['b', 'a'], at: 0 },
    ]);
  });

  it('is told once for each key, however many members write it', async () => {
    const many = Array.from({ length: 5 }, (_, index) => [`m${index}`, writer(10, 'shared.key')]);
    expect(await foreseen(Object.fromEntries(many))).toHaveLength(1);
  });

  it('is told when a member has written what another declares that has not begun', async () => {
    const tasks = {
      a: writer(10, 'shared.key'),
      first: sim(40),
      b: writer(10, 'shared.key', { needs: ['first'] }),
    };
    expect(await foreseen(tasks)).toMatchObject([{ tasks: ['a', 'b'], at: 10 }]);
  });

  it('is told when a member has written, without a word, what another declares', async () => {
    const tasks = {
      a: { agent: 'owner', with: { duration: 10, writes: { 'owner.key': 1 } } },
      first: sim(40),
      b: { agent: 'owner', needs: ['first'], writes: ['owner.key'], with: { duration: 10 } },
    };
    const agents = { owner: { uses: 'simulate', owns: ['owner.*'] } };
    expect(await foreseen(tasks, { agents })).toMatchObject([
      { key: 'owner.key', tasks: ['a', 'b'], at: 10 },
    ]);
  });

  it('is none where the merger keeps what everybody writes, where keys differ, or where nobody writes', async () => {
    const tasks = { a: writer(10, 'shared.sum'), b: writer(20, 'shared.sum') };
    const memory = { keys: { 'shared.sum': { merge: 'sum' } } };
    expect(await foreseen(tasks, { memory })).toEqual([]);
    expect(await foreseen({ a: writer(10, 'shared.x'), b: writer(20, 'shared.y') })).toEqual([]);
    expect(await foreseen({ a: sim(10), b: sim(20) })).toEqual([]);
  });

  it('comes before the join, and the conflict itself after it is foreseen', async () => {
    const { records } = await carryOut({
      document: {
        version: 1,
        tasks: { a: writer(10, 'shared.key'), b: writer(90, 'shared.key') },
        groups: { g: { tasks: ['a', 'b'] } },
      },
    });
    const order = records
      .map(({ type }) => type)
      .filter((type) => type.startsWith('conflict.') || type === 'barrier.released');
    expect(order).toEqual(['conflict.foreseen', 'conflict.recorded', 'barrier.released']);
  });
});
