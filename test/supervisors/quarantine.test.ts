import { describe, expect, it } from 'vitest';

import type { TaskFunction } from '../../src/actors/behaviours/behaviour.ts';
import { TroupeError } from '../../src/core/errors.ts';
import type { JournalRecord } from '../../src/journal/record.ts';
import { carryOut, outcomes, sim } from '../support/run-harness.ts';

const killer: TaskFunction = () => {
  throw new TroupeError('TRP_ATTEMPT_LOST', 'The thread died.', { errorClass: 'lost' });
};

function document(retry: object) {
  return {
    version: 1,
    name: 'poison',
    agents: { k: { uses: 'function', module: 'host:killer' } },
    tasks: { poison: { agent: 'k', retry: { initial: '1ms', ...retry } }, other: sim(5) },
  };
}

describe('a task that kills whatever carries it', () => {
  it('is quarantined the third time, and its neighbours are not', async () => {
    const { report, records } = await carryOut({
      document: document({ max_attempts: 10 }),
      functions: { killer },
    });
    expect(outcomes(report)).toEqual({ poison: 'failed', other: 'succeeded' });
    expect(report.tasks[0]).toMatchObject({ reason: 'quarantined' });
    expect(records.filter(({ type }) => type === 'task.started')).toHaveLength(4);
  });

  it('is quarantined as late as the document says', async () => {
    const { report } = await carryOut({
      document: document({ max_attempts: 10, quarantine_after: 5 }),
      functions: { killer },
    });
    expect(report.tasks[0]).toMatchObject({ reason: 'quarantined', attempts: 5 });
  });
});

/** The journal as it is when the process dies under what it runs. */
async function killed(before: readonly JournalRecord[], whole: object): Promise<JournalRecord[]> {
  const { records } = await carryOut({ document: whole, records: before });
  const started = records.findLastIndex(
    (record) => record.type === 'task.started' && record.task === 'poison',
  );
  return records.slice(0, started + 1);
}

describe('a task that kills Troupe itself', () => {
  const whole = {
    version: 1,
    name: 'poison',
    tasks: { poison: sim(1_000), other: sim(5), after: sim(5, { needs: ['other'] }) },
  };

  it('is left alone at the resume after the third time', async () => {
    let records: JournalRecord[] = [];
    for (let death = 0; death < 3; death++) records = await killed(records, whole);
    const { report, records: all } = await carryOut({ document: whole, records });
    expect(outcomes(report)).toEqual({ poison: 'failed', other: 'succeeded', after: 'succeeded' });
    expect(report.tasks[0]).toMatchObject({ reason: 'quarantined' });
    const tries = all.filter(
      (record) => record.type === 'task.started' && record.task === 'poison',
    );
    expect(tries).toHaveLength(3);
  });

  it('is tried anew when the run that ended with it is resumed', async () => {
    let records: readonly JournalRecord[] = [];
    for (let death = 0; death < 3; death++) records = await killed(records, whole);
    ({ records } = await carryOut({ document: whole, records }));
    const { report } = await carryOut({ document: whole, records });
    expect(outcomes(report)).toMatchObject({ poison: 'succeeded' });
  });

  it('is not blamed for being interrupted in good order', async () => {
    let records: readonly JournalRecord[] = [];
    for (let time = 0; time < 4; time++) {
      ({ records } = await carryOut({
        document: whole,
        records,
        during: (core, clock) => {
          clock.setTimeout(() => core.self.send({ type: 'run.interrupt' }), 100);
        },
      }));
    }
    const { report } = await carryOut({ document: whole, records });
    expect(outcomes(report)).toMatchObject({ poison: 'succeeded' });
  });
});
