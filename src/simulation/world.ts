import type { TaskContext, TaskFunction } from '../actors/behaviours/behaviour.ts';
import { createEmbeddedBus } from '../bus/embedded/embedded-bus.ts';
import type { EmbeddedBus } from '../bus/embedded/embedded-bus.ts';
import type { NetworkFaults } from '../bus/embedded/faults.ts';
import type { Clock } from '../core/clock.ts';
import { toPlain } from '../core/plain.ts';
import type { PlainObject } from '../core/plain.ts';
import { seedOf } from '../core/random.ts';
import { SimulatedClock } from '../core/simulated-clock.ts';
import { recordFormat } from '../journal/record.ts';
import type { JournalRecord, RunStarted } from '../journal/record.ts';
import type { RunCore } from '../supervisors/run/core.ts';
import { splitTaskOf } from '../workflow/model.ts';
import type { Workflow } from '../workflow/model.ts';
import { Dice } from './dice.ts';
import type { Episode, FaultPlan } from './fault-plan.ts';
import { People } from './people.ts';
import { ProcessClock } from './process-clock.ts';
import { SharedStore } from './shared-store.ts';
import { SimulatedProcess } from './simulated-process.ts';
import { Sightings } from './sightings.ts';
import { StoreAccess } from './store-access.ts';
import type { StoreWay } from './store-access.ts';
import { Trace } from './trace.ts';
import { unruly } from './unruly.ts';

/** What a function agent's host is told of where it is. */
export interface SimulatedHost {
  /** Time for agents to wait on. */
  readonly clock: Clock;
  /** Name of the process. */
  readonly node: string;
}

/** One run that somebody wants. */
export interface WantedRun {
  readonly workflow: Workflow;
  readonly input: PlainObject;
  /** Every agent is played by `simulate`. */
  readonly simulated: boolean;
}

/** What a {@link World} is made from. */
export interface WorldOptions {
  readonly seed: number;
  readonly plan: FaultPlan;
  readonly processes: number;
  readonly runs: readonly WantedRun[];
  readonly concurrency: number;
  /** From one run to the next, in milliseconds. Default: all begin within a moment. */
  readonly everyMs?: number;
  /** Functions of one process, by the name that documents use behind `host:`. */
  readonly functions: (host: SimulatedHost) => { readonly [name: string]: TaskFunction };
  /** How long after the world has healed runs may take to their end, in milliseconds. */
  readonly patienceMs: number;
  readonly onRecord?: (record: JournalRecord, core: RunCore) => void;
  /** Whether the world ends with this record. */
  readonly until?: (record: JournalRecord) => boolean;
}

/** How a world came to its end: all runs have ended, somebody had seen enough, or time was over first. */
export type WorldEnd = 'ended' | 'seen_enough' | 'stuck';

/** A record that a process was told to be durable. */
export interface Acknowledged {
  readonly run: string;
  readonly node: string;
  readonly record: JournalRecord;
}

interface Seat {
  process: SimulatedProcess | undefined;
  bus: EmbeddedBus | undefined;
  incarnation: number;
  /** Partitions that last. */
  cuts: number;
}

/** Wall time at which every world begins, in milliseconds since the epoch. */
const originMs = 1_000_000_000_000;

/** How often somebody looks whether what is wanted has been accepted, in milliseconds. */
const lookMs = 5_000;

/** How often somebody looks after runs that wait for a word, in milliseconds. */
const careMs = 120_000;

/**
 * Several processes, one store and one bus on one heap of events, in virtual time. What goes wrong follows
 * from the plan; after that everything is left alone until all runs have ended.
 */
export class World {
  readonly clock = new SimulatedClock(originMs);
  readonly trace = new Trace(() => this.clock.monotonic());
  readonly store = new SharedStore(this.clock, this.trace);
  readonly acknowledged: Acknowledged[] = [];
  /** States of breakers that did not follow from the one before. */
  readonly illegalBreakers: string[] = [];
  /** Runs that were said to have ended before the store knew of it. */
  readonly earlyEnds: string[] = [];
  /** What attempts saw of memory. */
  readonly sightings = new Sightings();
  /** Every process that has ever been. */
  readonly processes: SimulatedProcess[] = [];
  readonly options: WorldOptions;
  private readonly seats: Seat[];
  private readonly dice: Dice;
  private readonly bus: EmbeddedBus;
  private readonly people: People;
  /** The attempt to begin each wanted run. */
  private readonly tries: { run: string }[] = [];
  private hasSeenEnough = false;

  constructor(options: WorldOptions) {
    const { seed, plan, processes } = options;
    this.options = options;
    this.dice = new Dice(seedOf('world', seed));
    this.bus = createEmbeddedBus({
      clock: this.clock,
      schedule: (fn) => void this.clock.setTimeout(fn, 0),
      seed,
      ...(plan.classes.has('bus') ? { faults: networkFaults(plan) } : {}),
    });
    const isSilent = new Dice(seedOf('silence', seed)).chance(0.4);
    this.people = new People(this.bus, this.store, { trace: this.trace, isSilent });
    this.seats = Array.from({ length: processes }, () => ({
      process: undefined,
      bus: undefined,
      incarnation: 0,
      cuts: 0,
    }));
  }

  /** Nothing new goes wrong any more. */
  get isHealed(): boolean {
    return this.clock.monotonic() >= this.options.plan.healMs;
  }

  /** Runs that were accepted: their start is durable. */
  get accepted(): readonly string[] {
    return [...this.store.runs].filter(([, { length }]) => length > 0).map(([run]) => run);
  }

  /** Journals of all runs that were accepted. */
  async journals(): Promise<ReadonlyMap<string, readonly JournalRecord[]>> {
    const read = this.accepted.map(async (run) => [run, await this.store.read(run)] as const);
    return new Map(await Promise.all(read));
  }

  /** Lets everything happen. */
  async live(): Promise<WorldEnd> {
    const { plan, patienceMs } = this.options;
    for (const seat of this.seats.keys()) this.start(seat);
    for (const episode of plan.episodes)
      this.clock.setTimeout(() => this.befall(episode), episode.atMs);
    this.begin();
    this.clock.setTimeout(() => this.lookAfter(), plan.healMs + lookMs);
    const end = plan.healMs + patienceMs;
    const isOver = (): boolean => this.hasSeenEnough || this.isDone;
    await this.clock.runUntil(() => isOver() || this.clock.monotonic() > end);
    if (this.hasSeenEnough) return 'seen_enough';
    return this.isDone ? 'ended' : 'stuck';
  }

  /** Stops every process that lives, in order, and closes the bus. */
  async stop(): Promise<void> {
    let stopped = false;
    const all = this.seats.map(async ({ process, bus }) => {
      await process?.stop();
      await bus?.close();
    });
    void Promise.all(all).then(() => (stopped = true));
    const end = this.clock.monotonic() + 60_000;
    await this.clock.runUntil(() => stopped || this.clock.monotonic() > end);
    await this.bus.close();
    this.trace.add('world', stopped ? 'has stopped' : 'does not stop');
  }

  /** Runs may wait for a person without end, so after everything has healed there is one. */
  private lookAfter(): void {
    void this.people.lookAfter(this.dice);
    this.clock.setTimeout(() => this.lookAfter(), careMs);
  }

  private get isDone(): boolean {
    if (!this.isHealed || !this.hasAll) return false;
    if (this.accepted.some((run) => !this.store.runs.get(run)?.hasEnded)) return false;
    return this.seats.every(({ process }) => !process || process.live.size === 0);
  }

  /** Whatever was wanted has been accepted. */
  private get hasAll(): boolean {
    return this.tries.every(({ run }) => (this.store.runs.get(run)?.length ?? 0) > 0);
  }

  private begin(): void {
    for (const [index, wanted] of this.options.runs.entries()) {
      const submission = { run: '' };
      this.tries.push(submission);
      let tries = 0;
      const look = (): void => {
        if ((this.store.runs.get(submission.run)?.length ?? 0) > 0) return;
        submission.run = `run-${index}-${tries++}`;
        this.submit(submission.run, wanted);
        this.clock.setTimeout(look, lookMs);
      };
      const { everyMs = 0 } = this.options;
      this.clock.setTimeout(look, index * everyMs + this.dice.between(0, 20));
    }
  }

  private submit(run: string, { workflow, input, simulated }: WantedRun): void {
    const alive = this.seats.flatMap(({ process }) => process ?? []);
    if (alive.length === 0) return;
    const process = alive[this.dice.between(0, alive.length - 1)];
    const start: RunStarted = {
      type: 'run.started',
      run,
      format: recordFormat,
      engine: 'simulated',
      workflow: toPlain(workflow) as unknown as Workflow,
      source: '',
      input,
      seed: this.options.seed,
      simulated,
    };
    void process?.begin(start).catch(() => undefined);
  }

  private start(index: number): void {
    const seat = this.seats[index] as Seat;
    const { plan, concurrency, functions } = this.options;
    const node = `p${index}-${++seat.incarnation}`;
    const dice = new Dice(seedOf('process', plan.seed, index, seat.incarnation));
    const rate = plan.classes.has('skew') ? dice.pick([0.8, 0.95, 1.05, 1.2]) : 1;
    const offsetMs = plan.classes.has('skew') ? dice.between(-60_000, 60_000) : 0;
    const clock = new ProcessClock(this.clock, { rate, offsetMs });
    const access = new StoreAccess({
      store: this.store,
      node,
      clock,
      world: this.clock,
      dice,
      way: () => this.wayOf(seat),
      acknowledged: (run, records) => {
        for (const record of records) this.acknowledged.push({ run, node, record });
      },
    });
    seat.bus = this.bus.peer();
    if (seat.cuts > 0) seat.bus.disconnect();
    const told = (actor: string, what: string): void => this.trace.add(`${node}/${actor}`, what);
    const own = functions({ clock: clock.uncounted, node });
    seat.process = new SimulatedProcess({
      node,
      clock,
      access,
      bus: seat.bus,
      isWatched: dice.chance(0.25),
      concurrency,
      functions: this.unrulyOnes(this.watched(node, own), clock.uncounted, told),
      onRecord: (record, core) => {
        told(pathOf(core.run, record), `${record.seq} ${record.type}`);
        this.options.onRecord?.(record, core);
        this.hasSeenEnough ||= this.options.until?.(record) ?? false;
      },
      ended: (run) => {
        if (!this.store.runs.get(run)?.hasEnded) this.earlyEnds.push(`${run} by ${node}`);
      },
      illegalBreaker: (detail) => this.illegalBreakers.push(`${node}: ${detail}`),
      told,
    });
    this.processes.push(seat.process);
    this.trace.add(node, `starts at pace ${rate}`);
  }

  private watched(
    node: string,
    functions: { readonly [name: string]: TaskFunction },
  ): { readonly [name: string]: TaskFunction } {
    const watched = Object.entries(functions).map(([name, fn]) => [
      name,
      this.sightings.watch(node, fn),
    ]);
    return Object.fromEntries(watched) as { readonly [name: string]: TaskFunction };
  }

  private unrulyOnes(
    functions: { readonly [name: string]: TaskFunction },
    clock: Clock,
    told: (actor: string, what: string) => void,
  ): { readonly [name: string]: TaskFunction } {
    const wrapped = Object.entries(functions).map(([name, fn]) => [
      name,
      unruly(fn, {
        plan: this.options.plan,
        clock,
        isHealed: () => this.isHealed,
        isLimited: (run, task) => this.isLimited(run, task),
        told: (context: TaskContext, what) =>
          told(`${context.run}/${context.task}`, `${context.iteration}.${context.attempt} ${what}`),
      }),
    ]);
    return Object.fromEntries(wrapped) as { readonly [name: string]: TaskFunction };
  }

  private isLimited(run: string, task: string): boolean {
    const index = Number(run.split('-')[1]);
    const { tasks } = this.options.runs[index]?.workflow ?? { tasks: [] };
    return tasks.find(({ id }) => id === splitTaskOf(task))?.timeoutMs !== undefined;
  }

  private wayOf(seat: Seat): StoreWay {
    const { classes, rates } = this.options.plan;
    const isBad = !this.isHealed;
    return {
      delayMs: classes.has('slow_store') ? Math.ceil(rates.slow_store * 60) : 0,
      loseAnswer: isBad ? rates.lost_answer : 0,
      isCut: seat.cuts > 0,
    };
  }

  private befall({ fault, process: index, forMs, atMs }: Episode): void {
    const seat = this.seats[index] as Seat;
    this.trace.add('world', `${fault} p${index} ${forMs}`);
    const dice = new Dice(seedOf('episode', this.options.seed, fault, atMs, index));
    switch (fault) {
      case 'crash':
        return this.crash(index, { forMs, isKnown: dice.chance(0.5) });
      case 'restart':
        return this.restart(index, forMs);
      case 'pause':
        return this.pause(seat, forMs);
      case 'partition':
        return this.cut(seat, forMs);
      case 'jump':
        return seat.process?.clock.jump(dice.between(-3_600_000, 3_600_000));
      case 'disk_full':
        this.store.isFull = true;
        return void this.clock.setTimeout(() => (this.store.isFull = false), forMs);
      case 'people':
        return this.people.act(dice);
      default:
        return undefined;
    }
  }

  /** @param isKnown whoever starts it again tells the store that it has died */
  private crash(index: number, { forMs, isKnown }: { forMs: number; isKnown: boolean }): void {
    const seat = this.seats[index] as Seat;
    const { process } = seat;
    if (!process) return;
    process.kill();
    seat.process = undefined;
    if (isKnown) this.store.leave(process.node);
    this.clock.setTimeout(() => this.start(index), forMs);
  }

  private restart(index: number, forMs: number): void {
    const seat = this.seats[index] as Seat;
    const { process, bus } = seat;
    if (!process) return;
    seat.process = undefined;
    const again = (): void => {
      this.store.leave(process.node);
      this.trace.add(process.node, 'has stopped');
      void bus?.close();
      this.clock.setTimeout(() => this.start(index), forMs);
    };
    void process.stop().then(again);
  }

  private pause({ process }: Seat, forMs: number): void {
    if (!process) return;
    process.clock.pause();
    this.clock.setTimeout(() => process.clock.resume(), forMs);
  }

  private cut(seat: Seat, forMs: number): void {
    seat.cuts++;
    seat.bus?.disconnect();
    this.clock.setTimeout(() => {
      if (--seat.cuts > 0) return;
      if (seat.process?.clock.isAlive) seat.bus?.reconnect();
    }, forMs);
  }
}

function networkFaults({ rates, seed }: FaultPlan): NetworkFaults {
  const dice = new Dice(seedOf('network', seed));
  return {
    drop: rates.bus,
    duplicate: rates.bus * dice.share(),
    reorder: rates.bus * dice.share(),
    delayMs: dice.pick([0, 5, 50, 400]),
  };
}

function pathOf(run: string, record: JournalRecord): string {
  if ('task' in record) return `${run}/${record.task}`;
  return 'group' in record ? `${run}/${record.group}` : run;
}
