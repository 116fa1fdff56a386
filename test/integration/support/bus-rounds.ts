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

/** What rounds are made from. */
export interface BusRoundsOptions {
  readonly seed: number;
  readonly rounds: number;
  readonly server: NatsServerVersion;
}

/** What rounds have shown. */
export interface BusRoundsResult {
  readonly runs: number;
  readonly takenOver: number;
  /** How often each blow was struck. */
  readonly blows: Readonly<Record<string, number>>;
  /** Operations whose work the outside saw. */
  readonly operations: number;
  /** Times that it was seen again, because whoever did it died before it could say so. */
  readonly repeated: number;
}

/** How long a sign of life counts, so that a takeover takes no longer than a round. */
const leaseMs = 1_000;

/** How many processes serve, and how many worker hosts there are. */
const served = 2;

/**
 * Rounds in which runs are submitted to processes that serve one server and have worker hosts, and one of those that
 * take part is killed or held, at a time that the seed draws: who submits and waits, who owns runs, who works for
 * others, or the server. At the end every run must have ended as if nothing had happened.
 */
export class BusRounds {
  readonly world = new ServedWorld();
  private readonly options: BusRoundsOptions;
  private readonly random: () => number;
  private readonly supervisors: Program[] = [];
  private readonly workers: Program[] = [];
  private readonly runs: string[] = [];
  /** What was done, for the message of a failure. */
  private readonly story: string[] = [];
  private readonly struck: Record<string, number> = {};
  private deck: string[] = [];
  private server!: NatsServer;
  private watcher!: Troupe;

  private readonly blows: { readonly [name: string]: (run: string) => Promise<void> } = {
    'kill supervisor': (run) => this.during(run, () => this.replace(this.supervisors, 'serve')),
    'hold supervisor': (run) => this.during(run, () => this.hold()),
    'kill worker host': (run) => this.during(run, () => this.replace(this.workers, 'worker')),
    'kill host': (run) => this.killHost(run),
    'kill server': (run) => this.during(run, () => this.server.restart('SIGKILL')),
  };

  constructor(options: BusRoundsOptions) {
    this.options = options;
    this.random = seededRandom(options.seed);
  }

  async play(): Promise<BusRoundsResult> {
    this.server = await startNatsServer({ server: this.options.server });
    this.watcher = await createTroupe({ bus: this.server.url, journal: 'bus' });
    for (let count = 0; count < served; count++) {
      this.supervisors.push(this.start('serve'));
      this.workers.push(this.start('worker'));
    }
    for (let round = 1; round <= this.options.rounds; round++) await this.round(round);
    return this.settle();
  }

  async close(): Promise<void> {
    await this.world.remove();
    await this.watcher?.close();
    await this.server?.stop();
  }

  private start(what: 'serve' | 'worker'): Program {
    const { url } = this.server;
    if (what === 'worker') return this.world.worker(url);
    return this.world.serve(url, ['--lease', `${leaseMs}ms`]);
  }

  private async round(round: number): Promise<void> {
    const run = `round-${round}`;
    this.runs.push(run);
    const blow = this.nextBlow();
    this.story.push(`${round}: ${blow}`);
    this.struck[blow] = (this.struck[blow] ?? 0) + 1;
    await this.blows[blow]?.(run);
  }

  /** From a shuffled deck, so that every kind has its turn. */
  private nextBlow(): string {
    if (this.deck.length === 0) this.deck = Object.keys(this.blows);
    const [blow = ''] = this.deck.splice(Math.floor(this.random() * this.deck.length), 1);
    return blow;
  }

  private async during(run: string, blow: () => Promise<void>): Promise<void> {
    await this.submit(run);
    await delay(this.random() * 400);
    await blow();
  }

  private async replace(programs: Program[], what: 'serve' | 'worker'): Promise<void> {
    const index = Math.floor(this.random() * served);
    await programs[index]?.kill('SIGKILL');
    programs[index] = this.start(what);
  }

  /** Holds one of the supervisors for longer than its lease. */
  private async hold(): Promise<void> {
    const held = this.supervisors[Math.floor(this.random() * served)];
    held?.child.kill('SIGSTOP');
    await delay(leaseMs * 1.5);
    held?.child.kill('SIGCONT');
  }

  /** Whoever submits and waits dies: before the queue has the run, or after. Somebody else submits it again. */
  private async killHost(run: string): Promise<void> {
    const at = ['--bus', this.server.url, '--id', run, '-i', 'ms=60'];
    const host = this.world.start(['run', this.world.mixed, '--submit', '--wait', ...at]);
    await delay(this.random() * 2_500);
    await host.kill('SIGKILL');
    await this.submit(run);
  }

  /** Under its own id, so that it may be repeated until somebody has answered. */
  private async submit(run: string): Promise<void> {
    for (;;) {
      try {
        await this.watcher.submit(this.world.mixed, { ms: 60 }, { id: run });
        return;
      } catch (error) {
        const code = error instanceof TroupeError ? error.code : '';
        if (!code.startsWith('TRP_BUS_')) throw error;
      }
    }
  }

  private async settle(): Promise<BusRoundsResult> {
    let takenOver = 0;
    for (const run of this.runs) {
      const context = `seed ${this.options.seed}, ${this.story.join(', ')}: ${run}`;
      await this.untilEnded(run, context);
      const records = await this.watcher.records(run);
      expect(faultsOf(run, records, this.world.effects()), context).toEqual([]);
      takenOver += ownersOf(records).length - 1;
    }
    const effects = this.world.effects();
    const operations = new Set(effects.map(({ operation }) => operation)).size;
    const repeated = effects.length - operations;
    return { runs: this.runs.length, takenOver, blows: this.struck, operations, repeated };
  }

  /** Who waits in vain is told where the run stands. */
  private async untilEnded(run: string, context: string): Promise<void> {
    try {
      await eventually(`${run} has ended`, () => this.hasEnded(run));
    } catch (error) {
      const last = (await this.watcher.records(run).catch(() => [])).slice(-8);
      throw new Error(`${context} is stuck after ${JSON.stringify(last)}`, { cause: error });
    }
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
