import { describe, expect, it } from 'vitest';
import { silentLogger } from '../../../src/core/log.ts';
import { SimulatedClock } from '../../../src/core/simulated-clock.ts';
import { Shutdown } from '../../../src/runtime/serve/shutdown.ts';
import type { ShutdownPhase } from '../../../src/runtime/serve/shutdown.ts';

const clock = new SimulatedClock();

function shutdownOf(phases: readonly ShutdownPhase[], told: string[] = []): Shutdown {
  const tell = (message: string): void => void told.push(message);
  return new Shutdown({ clock, logger: { ...silentLogger, warn: tell, error: tell }, phases });
}

describe('an ordered shutdown', () => {
  it('runs its phases one after the other, each once', async () => {
    const done: string[] = [];
    const phase = (name: string): ShutdownPhase => ({
      name,
      timeoutMs: 1_000,
      run: async () => {
        done.push(`${name} begins`);
        await Promise.resolve();
        done.push(`${name} ends`);
      },
    });
    const shutdown = shutdownOf([phase('a'), phase('b')]);
    expect(shutdown.hasBegun).toBe(false);
    await Promise.all([shutdown.begin(), shutdown.begin()]);
    expect(shutdown.hasBegun).toBe(true);
    expect(done).toEqual(['a begins', 'a ends', 'b begins', 'b ends']);
  });

  it('goes on after a phase that fails', async () => {
    const told: string[] = [];
    let reached = false;
    const failing = { name: 'a', timeoutMs: 1, run: () => Promise.reject(new Error('no')) };
    const last = { name: 'b', timeoutMs: 1, run: () => void (reached = true) };
    await shutdownOf([failing, last], told).begin();
    expect([reached, told]).toEqual([true, ['a phase of the shutdown failed']]);
  });

  it('goes on after a phase whose time is over', async () => {
    const told: string[] = [];
    const never = {
      name: 'a',
      timeoutMs: 500,
      run: () => new Promise<void>(() => undefined),
    };
    const ended = shutdownOf([never], told).begin();
    await Promise.resolve();
    clock.step();
    await ended;
    expect(told).toEqual(['a phase of the shutdown took too long']);
  });
});
