import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSimulateBehaviour } from '../../../src/actors/behaviours/simulate.ts';
import type { Plain, PlainObject } from '../../../src/core/plain.ts';
import { SimulatedClock } from '../../../src/core/simulated-clock.ts';
import { abortedPort, cancelled, failureOf, start } from './attempt-kit.ts';
import type { AttemptInput } from './attempt-kit.ts';

async function simulate(input: Plain, rest: AttemptInput = {}) {
  const clock = new SimulatedClock();
  const attempt = start(createSimulateBehaviour({ clock }), {
    input,
    ...rest,
    agent: { uses: 'simulate', ...rest.agent },
  });
  await clock.runUntil(() => false);
  return { ...attempt, elapsedMs: clock.monotonic() };
}

describe('time', () => {
  it('takes exactly the duration of its input, of its agent, or the estimate', async () => {
    const agent = { with: { duration: '2s' } };
    expect((await simulate({ duration: '1m30s' }, { agent })).elapsedMs).toBe(90_000);
    expect((await simulate({ duration: 17 })).elapsedMs).toBe(17);
    expect((await simulate(null, { agent })).elapsedMs).toBe(2_000);
    expect((await simulate(null, { estimateMs: 750 })).elapsedMs).toBe(750);
  });

  it('takes exactly its duration however many reports it makes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(100_000), fc.nat(50), async (duration, progress) => {
        const { elapsedMs, port } = await simulate({ duration, progress });
        const fractions = port.reports.map((report) => report.fraction ?? 0);
        expect(elapsedMs).toBe(duration);
        expect(fractions).toHaveLength(progress);
        expect(fractions).toEqual(fractions.toSorted((a, b) => a - b));
      }),
    );
  });

  it('has one timer at a time and none after an abort', async () => {
    const clock = new SimulatedClock();
    const input = { duration: 100, progress: 3 };
    const { port, result } = start(createSimulateBehaviour({ clock }), {
      input,
      agent: { uses: 'simulate' },
    });
    clock.step();
    port.abort();
    await expect(result).rejects.toBe(cancelled);
    expect(clock.step()).toBe(false);
    expect(port.reports).toEqual([{ fraction: 0.25 }]);
  });
});

it('does not begin when it was aborted before', async () => {
  const clock = new SimulatedClock();
  const agent = { uses: 'simulate' as const };
  const { result } = start(createSimulateBehaviour({ clock }), { agent }, abortedPort());
  await expect(result).rejects.toBe(cancelled);
  expect(clock.step()).toBe(false);
});

describe('what comes of it', () => {
  it('gives its output and proposes its writes', async () => {
    const { result } = await simulate({ output: { a: 1 }, writes: { 'x.y': [1], z: null } });
    expect(await result).toEqual({
      output: { a: 1 },
      changes: [
        { key: 'x.y', value: [1] },
        { key: 'z', value: null },
      ],
    });
    expect(await (await simulate(null)).result).toEqual({ output: null, changes: [] });
  });

  it('fails on the attempts that are listed, after its duration, with the class that is named', async () => {
    const input = { fail: [1, 3], error_class: 'permanent', duration: 5 };
    const failed = await simulate(input, { attempt: 3 });
    expect(failed.elapsedMs).toBe(5);
    expect(await failureOf(failed.result)).toMatchObject({
      code: 'TRP_ATTEMPT_FAILED',
      errorClass: 'permanent',
    });
    expect((await (await simulate(input, { attempt: 2 })).result).output).toBeNull();
  });

  it('fails always, never, or by a share that the seed decides', async () => {
    const failures = async (fail: Plain): Promise<number> => {
      let failed = 0;
      for (let seed = 0; seed < 200; seed++) {
        const { result } = await simulate({ fail, duration: 1 }, { seed });
        failed += await result.then(
          () => 0,
          () => 1,
        );
      }
      return failed;
    };
    expect(await failures(true)).toBe(200);
    expect(await failures(false)).toBe(0);
    expect(await failures(0)).toBe(0);
    expect(await failures(1)).toBe(200);
    const some = await failures(0.3);
    expect(some).toBeGreaterThan(40);
    expect(some).toBeLessThan(80);
    expect(await failures(0.3)).toBe(some);
  });

  it.each<[string, PlainObject]>([
    ['duration', { duration: 'soon' }],
    ['duration', { duration: -1 }],
    ['fail', { fail: 2 }],
    ['fail', { fail: ['first'] }],
    ['error_class', { error_class: 'bad' }],
    ['progress', { progress: 1.5 }],
    ['writes', { writes: [1] }],
  ])('refuses a %s that makes no sense', async (name, input) => {
    const failure = await failureOf((await simulate(input)).result);
    expect(failure).toMatchObject({ code: 'TRP_INPUT_INVALID', errorClass: 'permanent' });
    expect(failure.message).toContain(`"${name}"`);
  });

  it('looks at nothing but the estimate when it stands in for another kind of agent', async () => {
    const agent = { uses: 'command' as const };
    const { result, elapsedMs } = await simulate(
      { duration: 'long', fail: 'often' },
      { agent, estimateMs: 40 },
    );
    expect(await result).toEqual({ output: null, changes: [] });
    expect(elapsedMs).toBe(40);
  });
});
