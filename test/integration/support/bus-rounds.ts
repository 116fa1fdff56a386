import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import { TroupeError } from '../../../src/core/errors.ts';
import { seededRandom } from '../../../src/core/random.ts';
import type { Troupe } from '../../../src/runtime/api.ts';
import { createTroupe } from '../../../src/runtime/troupe.ts';
import { eventually } from '../../support/eventually.ts';
import { startNatsServer } from '../../support/nats-server.ts';
import type { NatsServer, NatsServerVersion } from '../../support/nats-server.ts';
import type { Program } from './program.ts';
import { faultsOf, ownersOf, ServedWorld } from './served-world.ts';

/** Something that a round may do to a process. */
export type Blow = (rounds: BusRounds) => Promise<void>;

/** What rounds are made from. */
export interface BusRoundsOptions {
  readonly seed: number;
  readonly rounds: number;
  readonly server: NatsServerVersion;
  /** More that a round may do, by name, such as the kill of a worker host. */
  readonly blows?: { readonly [name: string]: Blow };
}

/** How long a sign of life counts, so that a takeover takes no longer than a round. */
const leaseMs = 1_000;

/**
 * Rounds in which runs are submitted to processes that serve one server, and one of them, or the server, is killed or
 * held, at a time that the seed draws. At the end every run must have ended as if nothing had happened.
 */
export class BusRounds {
  readonly world = new ServedWorld();
  readonly random: () => number;
  server!: NatsServer;
  /** What was done, for the message of a failure. */
  readonly story: string[] = [];
  private readonly options: BusRoundsOptions;
  private readonly supervisors: Program[] = [];
  private readonly runs: string[] = [];
  private watcher!: Troupe;

  constructor(options: BusRoundsOptions) {
    this.options = options;
    this.random = seededRandom(options.seed);
  }

  async play(): Promise<{ readonly takenOver: number; readonly runs: number }> {
    this.server = await startNatsServer({ server: this.options.server });
    this.watcher = await createTroupe({ bus: this.server.url, journal: 'bus' });
    this.supervisors.push(this.serve(), this.serve());
    for (let round = 1; round <= this.options.rounds; round++) await this.round(round);
    return await this.settle();
  }

  async close(): Promise<void> {
    await this.world.remove();
    await this.watcher?.close();
    await this.server?.stop();
  }

  /** Kills one of the supervisors and starts another in its place. */
  async killSupervisor(): Promise<void> {
    const index = this.draw();
    await this.supervisors[index]?.kill('SIGKILL');
    this.supervisors[index] = this.serve();
  }

  /** Holds one of the supervisors for longer than its lease. */
  async holdSupervisor(): Promise<void> {
    const held = this.supervisors[this.draw()];
    held?.child.kill('SIGSTOP');
    await delay(leaseMs * 1.5);
    held?.child.kill('SIGCONT');
  }

  private serve(): Program {
    return this.world.serve(this.server.url, ['--lease', `${leaseMs}ms`]);
  }

  private draw(): number {
    return Math.floor(this.random() * 2);
  }

  private async round(round: number): Promise<void> {
    const run = `round-${round}`;
    this.runs.push(run);
    await this.submit(run);
    await delay(this.random() * 400);
    const blows: { readonly [name: string]: Blow } = {
      'kill supervisor': () => this.killSupervisor(),
      'hold supervisor': () => this.holdSupervisor(),
      'kill server': () => this.server.restart('SIGKILL'),
      ...this.options.blows,
    };
    const names = Object.keys(blows);
    const name = names[Math.floor(this.random() * names.length)] ?? '';
    this.story.push(`${round}: ${name}`);
    await blows[name]?.(this);
  }

  /** Under its own id, so that it may be repeated until somebody has answered. */
  private async submit(run: string): Promise<void> {
    for (;;) {
      try {
        await this.watcher.submit(this.world.flow, { ms: 60 }, { id: run });
        return;
      } catch (error) {
        const code = error instanceof TroupeError ? error.code : '';
        if (!code.startsWith('TRP_BUS_')) throw error;
      }
    }
  }

  private async settle(): Promise<{ readonly takenOver: number; readonly runs: number }> {
    let takenOver = 0;
    for (const run of this.runs) {
      const context = `seed ${this.options.seed}, ${this.story.join(', ')}: ${run}`;
      await eventually(`${context} has ended`, () => this.hasEnded(run));
      const records = await this.watcher.records(run);
      expect(faultsOf(run, records, this.world.effects()), context).toEqual([]);
      takenOver += ownersOf(records).length - 1;
    }
    return { takenOver, runs: this.runs.length };
  }

  private async hasEnded(run: string): Promise<boolean> {
    try {
      return (await this.watcher.records(run)).at(-1)?.type === 'run.ended';
    } catch (error) {
      if (error instanceof TroupeError && /^TRP_(?:BUS|RUN_NOT)_/.test(error.code)) return false;
      throw error;
    }
  }
}
