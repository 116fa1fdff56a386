import { describe, expect, it } from 'vitest';
import { AbortWatch } from '../../../src/actors/behaviours/abort-watch.ts';
import type { AttemptPort } from '../../../src/actors/behaviours/behaviour.ts';
import { SimulatedClock } from '../../../src/core/simulated-clock.ts';

const killAfterMs = 2000;

/** A port that tells of the abort itself, or one that has a signal only. */
function portOf(kind: 'telling' | 'signal'): {
  port: AttemptPort;
  abort: (reason: string) => void;
} {
  const controller = new AbortController();
  let listener: ((reason: unknown) => void) | undefined;
  const port: AttemptPort = {
    signal: () => controller.signal,
    progress: () => undefined,
    stepDone: () => Promise.resolve(),
  };
  if (kind === 'signal') return { port, abort: (reason) => controller.abort(reason) };
  const telling: AttemptPort = {
    ...port,
    signal: () => {
      throw new Error('a signal was made');
    },
    onAbort: (given) => {
      listener = given;
    },
  };
  return { port: telling, abort: (reason) => listener?.(reason) };
}

describe.each(['telling', 'signal'] as const)('an abort watch on a port of kind %s', (kind) => {
  it('asks at once and forces after the kill time, each with the reason', () => {
    const clock = new SimulatedClock();
    const { port, abort } = portOf(kind);
    const seen: string[] = [];
    const watch = new AbortWatch(
      port,
      {
        ask: (reason) => seen.push(`ask ${String(reason)}`),
        force: (reason) => seen.push(`force ${String(reason)}`),
      },
      { clock, killAfterMs },
    );
    expect(watch.aborted).toBe(false);
    abort('enough');
    expect([watch.aborted, watch.reason, seen]).toEqual([true, 'enough', ['ask enough']]);
    const askedAt = clock.now();
    clock.step();
    expect(clock.now() - askedAt).toBe(killAfterMs);
    expect(seen).toEqual(['ask enough', 'force enough']);
  });

  it('hears nothing any more once it was stopped', () => {
    const clock = new SimulatedClock();
    const { port, abort } = portOf(kind);
    const seen: unknown[] = [];
    const note = (reason: unknown): number => seen.push(reason);
    new AbortWatch(port, { ask: note, force: note }, { clock, killAfterMs }).stop();
    abort('too late');
    expect([clock.step(), seen]).toEqual([false, []]);
  });
});
