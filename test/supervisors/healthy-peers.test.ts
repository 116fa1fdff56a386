import { expect, it } from 'vitest';
import { carryOut } from '../support/run-harness.ts';

it('work that has failed goes to a peer that is healthy, if there is one', async () => {
  const sick = Object.fromEntries(
    [1, 2, 3, 4].map((n) => [
      `sick_${n}`,
      { agent: 'weak', retry: 1, on_failure: 'fail', with: { duration: n, fail: true } },
    ]),
  );
  const work = Object.fromEntries(
    Array.from({ length: 12 }, (_, n) => [
      `work_${n}`,
      { agent: 'first', retry: 1, with: { duration: 50, fail: [1] } },
    ]),
  );
  const { records, state } = await carryOut({
    document: {
      version: 1,
      name: 'healthy-peers',
      agents: {
        first: { uses: 'simulate', peers: ['weak', 'strong'] },
        weak: { uses: 'simulate', health: { max_error_rate: '50%', min_calls: 4 } },
        strong: { uses: 'simulate' },
      },
      tasks: {
        ...sick,
        ...work,
      },
    },
  });
  const peers = records.flatMap((record) =>
    record.type === 'task.started' && record.by ? [record.by.agent] : [],
  );
  expect(peers).toEqual(Array.from({ length: 12 }, () => 'strong'));
  expect(state.tasks.get('work_0')?.outcome).toBe('succeeded');
});
