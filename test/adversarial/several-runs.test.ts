import { describe, expect, it } from 'vitest';

import { SimulatedClock } from '../../src/core/simulated-clock.ts';
import { Meter, scriptedFunctions } from './bodies.ts';
import { storyOf, workflowOf } from './chaos.ts';
import { Dice } from '../../src/simulation/dice.ts';
import { OneProcess } from './one-process.ts';
import type { LateRun } from './one-process.ts';
import { ignoreLateAcknowledgements } from './quiet.ts';

ignoreLateAcknowledgements();

/** First and last seed of each test. */
const chunks = [0, 60, 120, 180, 240].map((from) => [from, from + 59] as const);

/** Simulated time after which runs are taken to be stuck. */
const patienceMs = 2_000_000;

/** Two or three random runs in one process with few slots; some are cancelled or interrupted. */
class Crowd {
  readonly slots: number;
  readonly meter = new Meter();
  readonly process: OneProcess;
  readonly runs: LateRun[] = [];
  private readonly dice: Dice;
  private readonly clock = new SimulatedClock();
  private expected = 0;

  constructor(seed: number) {
    this.dice = new Dice(seed);
    this.slots = this.dice.between(1, 3);
    this.process = new OneProcess({
      clock: this.clock,
      functions: scriptedFunctions(this.clock, this.meter),
      concurrency: this.slots,
      // Half of the crowds share units as well.
      resources: seed % 4 < 2 ? { cpu: 100 } : undefined,
    });
  }

  async add(seed: number): Promise<void> {
    const { document, input } = storyOf(seed);
    const workflow = await workflowOf(document);
    if (!workflow) return;
    const id = `run-${this.expected++}`;
    const delay = (): number => this.dice.between(0, 20);
    const atMs = this.dice.between(0, 50);
    this.clock.setTimeout(() => {
      const run = this.process.start({ id, workflow, input, seed, delay });
      this.runs.push(run);
      this.disturb(run);
    }, atMs);
  }

  async live(): Promise<void> {
    const areOver = (): boolean =>
      this.runs.length === this.expected && this.runs.every(({ end }) => end !== 'running');
    await this.clock.runUntil(() => areOver() || this.clock.now() > patienceMs);
  }

  private disturb(run: LateRun): void {
    if (!this.dice.chance(0.4)) return;
    const isCancelled = this.dice.chance(0.6);
    const atMs = this.dice.between(10, 260);
    this.clock.setTimeout(() => (isCancelled ? run.cancel() : run.interrupt()), atMs);
  }
}

async function faultsOf(seed: number): Promise<readonly string[]> {
  const crowd = new Crowd(seed);
  for (let index = 0; index < 2 + (seed % 2); index++) await crowd.add(seed * 7 + index);
  await crowd.live();
  const { process, meter, runs, slots } = crowd;
  const left = process.inUse(['worker', 'checker']);
  const ends = runs.map(({ end, fault }) => fault?.message ?? end);
  const faults = [
    ...ends.filter((end) => end !== 'ended' && end !== 'interrupted'),
    ...process.deaths,
    ...process.pendingDeadlines().map((due) => `a deadline at ${due}`),
    ...left.busyAgents.map((agent) => `agent ${agent} is busy`),
  ];
  const { permits, waiting, scopes, calls } = left;
  const counts = { permits, waiting, scopes, calls };
  const more = { attempts: left.attempts, bodies: meter.now, over: Math.max(0, meter.max - slots) };
  for (const [name, count] of Object.entries({ ...counts, ...more })) {
    if (count > 0) faults.push(`${count} ${name}`);
  }
  await process.stop();
  return faults.map((fault) => `seed ${seed}: ${fault}`);
}

describe('several runs in one process', () => {
  it.each(chunks)(
    'share its slots and leave nothing behind, seeds %i to %i',
    async (from, last) => {
      const faults: string[] = [];
      for (let seed = from; seed <= last; seed++) faults.push(...(await faultsOf(seed)));
      expect(faults.join('\n')).toBe('');
    },
  );
});
