import { describe, expect, it } from 'vitest';
import { leaseMachine } from '../../src/actors/lease.ts';
import { createActor } from '../../src/actors/xstate.ts';
import { Deadlines } from '../../src/core/deadlines.ts';
import { SimulatedClock } from '../../src/core/simulated-clock.ts';
import type { LeaseKeeper } from '../../src/journal/journal.ts';
import { standing } from '../../src/journal/lease.ts';

const terms = { ttlMs: 9_000, renewMs: 3_000 };

/** A process with a lease, on a simulated clock; `answers` says whether renewals come through. */
class Bench {
  readonly clock = new SimulatedClock();
  readonly told: string[] = [];
  readonly changes: string[] = [];
  answers = true;
  private confirmedAt = 0;
  private doubted = false;
  private readonly deadlines = new Deadlines(this.clock);
  private readonly keeper: LeaseKeeper = {
    terms,
    isDoubted: () => this.isDoubted(),
    renew: () => {
      this.isDoubted();
      return this.ask('renew', () => (this.confirmedAt = this.clock.monotonic()));
    },
    verify: () => this.ask('verify', () => (this.doubted = false)),
  };
  readonly actor = createActor(leaseMachine, {
    input: {
      keeper: this.keeper,
      clock: this.clock,
      deadlines: this.deadlines,
      onChange: (change) => this.changes.push(`${change} at ${this.clock.now()}`),
    },
  }).start();

  isDoubted(): boolean {
    this.doubted ||= standing(terms, this.clock.monotonic() - this.confirmedAt) === 'doubt';
    return this.doubted;
  }

  get state(): string {
    return JSON.stringify(this.actor.getSnapshot().value).replaceAll('"', '');
  }

  async until(ms: number): Promise<void> {
    let over = false;
    const timer = this.clock.setTimeout(() => (over = true), ms - this.clock.now());
    while (!over && this.clock.step()) for (let n = 0; n < 8; n++) await Promise.resolve();
    this.clock.clearTimeout(timer);
  }

  private async ask(what: string, answered: () => void): Promise<void> {
    this.told.push(`${what} at ${this.clock.now()}`);
    if (!this.answers) throw new Error('no answer');
    answered();
  }
}

describe('the lease of a process', () => {
  it('is renewed at equal times as long as renewals are answered', async () => {
    const bench = new Bench();
    await bench.until(9_500);
    expect(bench.told).toEqual(['renew at 3000', 'renew at 6000', 'renew at 9000']);
    expect([bench.state, bench.changes]).toEqual(['held', []]);
  });

  it('tries again soon after a renewal that was not answered, and stays sure meanwhile', async () => {
    const bench = new Bench();
    bench.answers = false;
    await bench.until(4_000);
    bench.answers = true;
    await bench.until(4_100);
    expect(bench.told).toEqual(['renew at 3000', 'renew at 3500', 'renew at 4000']);
    expect([bench.state, bench.changes]).toEqual(['held', []]);
  });

  it('is in doubt after two thirds of its time without an answer, and checks its runs before it is sure', async () => {
    const bench = new Bench();
    bench.answers = false;
    await bench.until(8_100);
    expect([bench.state, bench.changes]).toEqual(['{doubtful:waiting}', ['doubt at 6500']]);
    bench.answers = true;
    await bench.until(8_600);
    expect(bench.told.slice(-2)).toEqual(['renew at 8500', 'verify at 8500']);
    expect([bench.state, bench.changes]).toEqual(['held', ['doubt at 6500', 'sure at 8500']]);
  });

  it('checks its runs after the process itself stood still, although the next renewal is answered', async () => {
    const bench = new Bench();
    await bench.until(3_100);
    bench.clock.setTimeout(() => undefined, 0);
    // The timer of 6000 fires as late as a process that was stopped would fire it.
    const late = bench.clock.monotonic.bind(bench.clock);
    bench.clock.monotonic = () => late() + 20_000;
    await bench.until(6_100);
    expect(bench.told).toContain('verify at 6000');
    expect(bench.changes).toEqual(['doubt at 6000', 'sure at 6000']);
  });

  it('ends when it is released, and asks nothing any more', async () => {
    const bench = new Bench();
    bench.actor.send({ type: 'lease.release' });
    await bench.until(20_000);
    expect([bench.state, bench.told]).toEqual(['released', []]);
  });
});
