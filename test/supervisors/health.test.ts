import { describe, expect, it } from 'vitest';

import { carryOut } from '../support/run-harness.ts';

describe('the health of a run', () => {
  it('is told of its agents, its pools and the whole, with what it was taken from', async () => {
    const ids = Array.from({ length: 6 }, (_, index) => `t${index}`);
    const result = await carryOut({
      document: {
        health: { max_error_rate: '50%', min_calls: 3 },
        agents: { a: { uses: 'function', module: 'host:work' } },
        tasks: Object.fromEntries(ids.map((id) => [id, { agent: 'a', retry: 1 }])),
      },
      functions: { work: () => Promise.reject(new Error('down')) },
    });
    expect(result.report.reliability?.health).toEqual(
      Object.fromEntries(
        ['agent:a', 'pool:function-inline', 'run'].map((of) => [
          of,
          { state: 'unhealthy', error_rate: 1, response_ms: 0, queue_depth: null },
        ]),
      ),
    );
  });

  it('is looked at by what an agent says for itself, where it does', async () => {
    const result = await carryOut({
      document: {
        agents: {
          a: { uses: 'simulate', health: { max_response_time: '10s', min_calls: 2 } },
        },
        tasks: Object.fromEntries(
          ['t0', 't1'].map((id) => [id, { agent: 'a', with: { duration: 15_000 } }]),
        ),
      },
    });
    expect(result.report.reliability?.health).toEqual({
      'agent:a': { state: 'unhealthy', error_rate: 0, response_ms: 15_000, queue_depth: null },
    });
  });

  it('is not reported where nobody asks for it', async () => {
    const result = await carryOut({
      document: { tasks: { t: { uses: 'simulate', with: { duration: 1 } } } },
    });
    expect(result.report.reliability).toBeUndefined();
  });
});

describe('monitoring without adaptation', () => {
  it('tells when a threshold is passed, and changes nothing', async () => {
    const told: object[] = [];
    const result = await carryOut({
      document: {
        monitoring: { interval: '1s', thresholds: { response_time: '1s' } },
        resources: { concurrency: 1 },
        tasks: Object.fromEntries(
          ['t0', 't1', 't2', 't3'].map((id) => [
            id,
            { uses: 'simulate', with: { duration: 4000 } },
          ]),
        ),
      },
      during: (core) => {
        const { alerted } = core.services;
        Object.assign(core.services, {
          alerted: (name: string, alert: object) => {
            told.push(alert);
            alerted?.(name, alert as never);
          },
        });
      },
    });
    expect(result.end).toBe('ended');
    expect(told).toMatchObject([{ kind: 'threshold', of: 'response_time', state: 'passed' }]);
    expect(result.records.some(({ type }) => type === 'policy.adapted')).toBe(false);
  });
});
