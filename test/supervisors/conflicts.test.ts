import { describe, expect, it } from 'vitest';
import { fold } from '../../src/journal/fold.ts';
import type { JournalRecord } from '../../src/journal/record.ts';
import { resolveConflict } from '../../src/supervisors/run/conflicts.ts';
import { carryOut, sim } from '../support/run-harness.ts';
import type { HarnessOptions } from '../support/run-harness.ts';

const writer = (value: unknown, rest: object = {}): object =>
  sim(value === 'by b' ? 20 : 10, {
    with: { writes: { 'shared.plan': value } },
    writes: ['shared.plan'],
    ...rest,
  });

const document = {
  tasks: {
    a: writer('by a'),
    b: writer('by b', { priority: 9 }),
    slow: sim(100),
  },
  groups: { both: { tasks: ['a', 'b'] } },
  memory: { keys: { 'shared.*': { merge: 'manual' } } },
};

const typesOf = (records: readonly JournalRecord[]): string[] => records.map(({ type }) => type);

/** Resolves the first open conflict in the run's own turn, as soon as it is recorded. */
const answering = (
  choice: 'theirs' | 'mine',
  answers: (string | undefined)[],
): Partial<HarnessOptions> => ({
  onRecord: (record, core) => {
    if (record.type !== 'conflict.recorded' || !record.open) return;
    core.self.send({
      type: 'conflict.resolve',
      resolution: { conflict: record.seq, choice, by: 'test' },
      answer: (error) => answers.push(error?.code),
    });
  },
});

describe('a conflict that a person has to decide', () => {
  it('leaves the run partial while it is open, and is told in the report', async () => {
    const { report, core, records } = await carryOut({ document });
    expect([report.status, report.reason]).toEqual(['partial', 'conflicts_open']);
    expect(report.conflicts).toEqual({ recorded: 1, open: 1 });
    expect(core.ledger.memory.view().get('shared.plan')).toBe('by a');
    const [recorded] = records.filter(({ type }) => type === 'conflict.recorded');
    expect(recorded).toMatchObject({ rule: 'manual', open: { mine: { value: 'by b' } } });
  });

  it('is recorded as soon as the second writer ends, while others still work', async () => {
    const { records } = await carryOut({ document });
    const at = (type: string, task?: string): number =>
      records.findIndex(
        (record) => record.type === type && (!task || ('task' in record && record.task === task)),
      );
    expect(at('conflict.recorded')).toBeLessThan(at('task.succeeded', 'slow'));
  });

  it('is resolved by mine: the value is committed for a person, and the run succeeds', async () => {
    const answers: (string | undefined)[] = [];
    const { report, core, records, state } = await carryOut({
      document,
      ...answering('mine', answers),
    });
    expect(report.status).toBe('succeeded');
    expect(core.ledger.memory.view().get('shared.plan')).toBe('by b');
    expect(answers).toEqual([undefined]);
    const committed = records.filter((record) => record.type === 'memory.committed');
    expect(committed.at(-1)).toMatchObject({ agent: 'person', changes: [{ value: 'by b' }] });
    expect(fold(records).conflicts).toEqual(state.conflicts);
  });

  it('is resolved by theirs without a write', async () => {
    const { report, records } = await carryOut({ document, ...answering('theirs', []) });
    expect(report.status).toBe('succeeded');
    expect(typesOf(records).filter((type) => type === 'memory.committed')).toHaveLength(2);
  });

  it('that is not there, or is decided already, is refused', async () => {
    const answers: (string | undefined)[] = [];
    await carryOut({
      document,
      onRecord: (record, core) => {
        if (record.type !== 'conflict.recorded') return;
        for (const conflict of [record.seq, record.seq, 99_999])
          core.self.send({
            type: 'conflict.resolve',
            resolution: { conflict, choice: 'mine', by: 'test' },
            answer: (error) => answers.push(error?.code),
          });
      },
    });
    expect(answers).toEqual([undefined, 'TRP_CONFLICT_UNKNOWN', 'TRP_CONFLICT_UNKNOWN']);
  });

  it('tells what a later writer loses by the decision', async () => {
    const later = {
      ...document,
      tasks: {
        ...document.tasks,
        c: writer('by c', { needs: ['both'] }),
        end: sim(50, { needs: ['c'] }),
      },
    };
    const { records } = await carryOut({
      document: later,
      onRecord: (record, core) => {
        if (record.type !== 'task.succeeded' || record.task !== 'c') return;
        const [conflict = 0] = core.ledger.state.conflicts.open.keys();
        resolveConflict(core, { conflict, choice: 'mine', by: 'test' });
      },
    });
    expect(records.findLast(({ type }) => type === 'conflict.recorded')).toMatchObject({
      mine: { agent: 'person' },
      dropped: 'by c',
    });
  });
});
