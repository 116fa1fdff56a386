import { describe, expect, it } from 'vitest';

import { fold } from '../../src/journal/fold.ts';
import type { JournalRecord } from '../../src/journal/record.ts';
import { carryOut, outcomes, sim } from '../support/run-harness.ts';

const endless = 5000;

function writer(ms: number): object {
  return sim(ms, { writes: ['shared.c'], with: { writes: { 'shared.c': ms } } });
}

/** One group for each thing that a barrier decides. What comes of each does not depend on when a process died. */
const document = {
  version: 1,
  name: 'barriers',
  tasks: {
    q1: sim(10),
    q2: sim(endless),
    s1: sim(10),
    s2: sim(endless, { default: 'gap' }),
    u1: sim(70),
    u2: sim(endless),
    h1: sim(10),
    h2: sim(endless, { with: { progress: 500 } }),
    l1: sim(10, { with: { output: 'x' } }),
    l2: sim(200, { with: { output: 'y' } }),
    m1: sim(10, { with: { output: 'x' } }),
    m2: sim(220, { with: { output: 'y' } }),
    f1: sim(5),
    f2: sim(30),
    f3: sim(30),
    w1: sim(10, { weight: 2 }),
    w2: sim(20, { with: { fail: true }, retry: 1 }),
    c1: writer(10),
    c2: writer(25),
    user: sim(1, { needs: ['l'], with: { output: '${groups.l.output}' } }),
    keeper: sim(1, { needs: ['l2', 'm2'] }),
  },
  groups: {
    q: { tasks: ['q1', 'q2'], barrier: { quorum: 1 } },
    s: { tasks: ['s1', 's2'], barrier: { min_success: 1, soft_deadline: 50 } },
    u: { tasks: ['u1', 'u2'], barrier: { min_success: 1, soft_deadline: 50, hard_deadline: 900 } },
    h: {
      tasks: ['h1', 'h2'],
      barrier: {
        min_success: 1,
        timeout: 40,
        hard_deadline: 90,
        on_timeout: ['extend', 'proceed_with_available'],
        extension: { by: 30, max: 9 },
        notify: 'h',
      },
    },
    l: { tasks: ['l1', 'l2'], barrier: { min_success: 1, timeout: 30, late: 'merge' } },
    m: {
      tasks: ['m1', 'm2'],
      mode: 'async_merge',
      barrier: { min_success: 1, timeout: 30, late: 'merge' },
    },
    f: {
      tasks: ['f1', 'f2', 'f3'],
      barrier: { timeout: 20, on_timeout: 'abort_and_fallback', notify: 'f' },
    },
    w: { tasks: ['w1', 'w2'], barrier: { type: 'smart', min_success: { weight: 2 } } },
    c: { tasks: ['c1', 'c2'] },
  },
};

/** What must stand in a journal once, however often the run was resumed. */
function onceKeys(records: readonly JournalRecord[]): string[] {
  return records.flatMap((record) => {
    switch (record.type) {
      case 'barrier.armed':
        return [`armed ${record.group} ${record.bound ?? 'timeout'}`];
      case 'barrier.softened':
      case 'barrier.fell_back':
      case 'barrier.released':
      case 'group.ended':
        return [`${record.type} ${record.group}`];
      case 'contribution.late':
      case 'contribution.merged':
        return [`${record.type} ${record.member}`];
      case 'conflict.foreseen':
        return [`${record.type} ${record.key}`];
      case 'alert.raised':
        return [`${record.type} ${record.message}`];
      default:
        return [];
    }
  });
}

describe('a run whose barriers decide all that barriers can', () => {
  it('has, after every record, the state that its journal folds to', async () => {
    const written: JournalRecord[] = [];
    let compared = 0;
    await carryOut({
      document,
      onRecord: (record, core) => {
        written.push(structuredClone(record));
        if (record.seq !== core.ledger.state.seq) return;
        compared++;
        expect(core.ledger.state).toEqual(fold(written));
      },
    });
    expect(compared).toBeGreaterThan(40);
  });

  it('decides each thing once and ends as it would have, from a crash after any of its records', async () => {
    const whole = await carryOut({ document });
    expect(whole.end).toBe('ended');
    const seen = new Set(onceKeys(whole.records));
    for (const key of ['barrier.softened u', 'barrier.fell_back f', 'contribution.late l2'])
      expect([...seen]).toContain(key);
    const ends = ({ report, state }: typeof whole): object => ({
      outcomes: outcomes(report),
      groups: report.groups.map(({ id, outcome, reason, late }) => ({ id, outcome, reason, late })),
      used: state.tasks.get('user')?.output,
      merged: report.groups.find(({ id }) => id === 'm')?.merged,
      status: report.status,
    });
    for (let cut = 2; cut < whole.records.length; cut++) {
      const before = whole.records.slice(0, cut);
      const resumed = await carryOut({ document, records: before });
      const context = `crash after record ${cut}: ${before.at(-1)?.type}`;
      expect(resumed.end, context).toBe('ended');
      expect(ends(resumed), context).toEqual(ends(whole));
      expect(resumed.core.ledger.memory.hash(), context).toBe(whole.core.ledger.memory.hash());
      const keys = onceKeys(resumed.records);
      expect(keys.length, context).toBe(new Set(keys).size);
    }
  }, 120_000);

  it('keeps the deadlines that its journal has', async () => {
    const whole = await carryOut({ document });
    const armed = whole.records.findLastIndex(({ type }) => type === 'barrier.armed');
    const resumed = await carryOut({ document, records: whole.records.slice(0, armed + 1) });
    const times = ({ records }: typeof whole): object =>
      Object.fromEntries(
        records.flatMap((record) =>
          record.type === 'barrier.released' && ['s', 'h', 'l', 'm'].includes(record.group)
            ? [[record.group, record.at]]
            : [],
        ),
      );
    expect(times(resumed)).toEqual(times(whole));
  });
});
