import { describe, expect, it } from 'vitest';
import { outcomes } from '../support/run-harness.ts';
import { carryOut } from './carry-out.ts';
import { ignoreLateAcknowledgements } from './quiet.ts';

ignoreLateAcknowledgements();

/** What random runs with everything of recovery have found, each as small as it could be made. */

describe('a rung whose time is over while a failure is on its way to the disk', () => {
  // The third failure is known at 70 ms and durable at 80 ms; the time of the rung is over at 75 ms.
  const document = {
    version: 1,
    name: 'regression',
    tasks: {
      a: {
        uses: 'simulate',
        with: { duration: 10, fail: [1, 2, 3, 4, 5] },
        retry: { max_attempts: 1, initial: 1, backoff: 'fixed', jitter: 0 },
        escalation: [
          { rung: 'retry', attempts: 9, deadline: 45, default: 'next' },
          { degrade: { default: 'less' } },
        ],
      },
    },
  };

  it('is left as soon as the failure is durable', async () => {
    const { end, records, report } = await carryOut({ document, syncMs: 20 });
    expect(end).toBe('ended');
    expect(outcomes(report)).toEqual({ a: 'succeeded' });
    const left = records.filter(({ type }) => type === 'escalation.expired');
    expect(left).toMatchObject([{ cause: 'deadline' }]);
  });
});
