import { describe, expect, it } from 'vitest';

import { createTroupe } from '../../src/index.ts';

const document = {
  name: 'shared',
  breakers: { tools: { git: { minimum_calls: 2, when_open: 'fail' } } },
  agents: { a: { uses: 'function', module: 'host:push' } },
  tasks: { t0: { agent: 'a', retry: 1 }, t1: { agent: 'a', retry: 1, needs: [] } },
};

describe('a breaker that two runs share', () => {
  it('is opened by one run and refuses the calls of the other', async () => {
    let isDown = true;
    const troupe = await createTroupe({
      functions: {
        push: ({ tool }) =>
          tool('git').call(() => {
            if (isDown) throw new Error('down');
            return 'pushed';
          }),
      },
    });
    try {
      const first = await troupe.run(document);
      const report = await first.outcome();
      expect(report.status).toBe('failed');
      expect(report.reliability?.breakers?.['tool:git']).toMatchObject({
        state: 'open',
        opened: 1,
      });
      isDown = false;
      const second = await (await troupe.run(document)).outcome();
      const codes = second.tasks.map(({ error }) => error?.code);
      expect(codes).toEqual(['TRP_BREAKER_OPEN', 'TRP_BREAKER_OPEN']);
    } finally {
      await troupe.close();
    }
  });
});
