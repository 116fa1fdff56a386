import type { TaskFunction } from '../actors/behaviours/behaviour.ts';
import type { ProviderGate } from '../actors/provider-gate.ts';
import type { EmbeddedBus } from '../bus/embedded/embedded-bus.ts';
import { ctlSubject } from '../bus/subjects.ts';
import { messageOf } from '../core/errors.ts';
import { silentLogger } from '../core/log.ts';
import type { OwnedRun } from '../journal/journal.ts';
import type { JournalRecord, RunStarted } from '../journal/record.ts';
import { rollingPlan } from '../planning/dispatch-plan.ts';
import { tellRecord } from '../runtime/live-messages.ts';
import { LiveRun } from '../runtime/live-run.ts';
import { answerOnBus } from '../runtime/run-verbs.ts';
import { RunWindow } from '../runtime/run-window.ts';
import { startOf } from '../runtime/stored-runs.ts';
import { startSystem } from '../runtime/system.ts';
import type { System } from '../runtime/system.ts';
import { WatchedBus } from '../runtime/watched-bus.ts';
import { assembleRun } from '../supervisors/run/assemble.ts';
import type { RunCore, RunServices } from '../supervisors/run/core.ts';
import type { RunInput } from '../supervisors/run/run.ts';
import { BreakerWatch } from './breaker-watch.ts';
import { censusOf, liveActors } from './census.ts';
import type { Census } from './census.ts';
import { GatedBus } from './gated-bus.ts';
import type { ProcessClock } from './process-clock.ts';
import { leaseMs } from './shared-store.ts';
import type { StoreAccess } from './store-access.ts';

/** What a {@link SimulatedProcess} is made from. */
export interface SimulatedProcessOptions {
  readonly node: string;
  readonly clock: ProcessClock;
  readonly access: StoreAccess;
  /** Its own connection. */
  readonly bus: EmbeddedBus;
  /** Whether somebody looks at what it shows on the bus. */
  readonly isWatched: boolean;
  readonly concurrency: number;
  readonly functions: { readonly [name: string]: TaskFunction };
  readonly onRecord: (record: JournalRecord, core: RunCore) => void;
  /** A breaker is in a state that may not follow the one before. */
  readonly illegalBreaker: (detail: string) => void;
  /** It takes a run to have ended, and says so. */
  readonly ended: (run: string) => void;
  /** Something worth a line in the trace; `actor` is a path within the process. */
  readonly told: (actor: string, what: string) => void;
}

/** How often a process looks for runs that were left behind, in milliseconds of its clock. */
const scanMs = 3_000;

/**
 * One process of a simulated world: the real supervision tree, its runs, its lease, and its look-out for runs
 * that others have left behind. It is put together as a Troupe is, on a store and a bus that fail.
 */
export class SimulatedProcess {
  readonly node: string;
  readonly clock: ProcessClock;
  /** Runs that it owns, and how each of them stands. */
  readonly live = new Map<string, LiveRun>();
  /** Cores of all runs that it has had. */
  readonly cores: RunCore[] = [];
  /** What actors died of, and what nobody had expected. */
  readonly deaths: string[] = [];
  readonly gates: ProviderGate[] = [];
  readonly bus: GatedBus;
  readonly system: System;
  private readonly options: SimulatedProcessOptions;
  private readonly watched: WatchedBus;
  private readonly opening = new Set<string>();
  private readonly windows = new Set<Promise<unknown>>();
  private readonly timers: unknown[] = [];
  private readonly breakers: BreakerWatch;
  /** What lived when it had stopped all runs, which is to be nothing. */
  atRest: Census | undefined;
  /** What lived when it had stopped altogether. */
  afterStop: Partial<Census> | undefined;
  private stopping = false;

  constructor(options: SimulatedProcessOptions) {
    const { node, clock, concurrency, functions, isWatched } = options;
    this.options = options;
    this.node = node;
    this.clock = clock;
    this.bus = new GatedBus(options.bus, clock);
    this.watched = new WatchedBus(this.bus, isWatched ? 'simulated' : 'embedded');
    const breakers = new BreakerWatch(options.illegalBreaker, () => clock.now());
    this.breakers = breakers;
    this.system = startSystem({
      clock,
      logger: {
        ...silentLogger,
        error: (message, fields) => this.deaths.push(`${message} ${JSON.stringify(fields)}`),
      },
      concurrency,
      functions,
      environment: {},
      // Time of the world goes on while a disk or a child works: whatever waits for one would come to another end.
      closed: true,
      onGate: ({ gate }) => this.gates.push(gate),
      alerted: (run, alert) => {
        options.told(run, `${alert.of} is ${alert.state}`);
        if (alert.kind === 'breaker') breakers.changed(run, alert.of, alert.state);
      },
      progressed: (run, task, progress) =>
        this.live.get(run)?.window.progressed(task, { ...progress, task }),
    });
    this.repeat(0, leaseMs / 3, () => options.access.renew());
    this.repeat(1, scanMs, () => void this.lookOut());
  }

  /** Begins a new run. Rejects when it cannot be begun here. */
  async begin(start: RunStarted): Promise<void> {
    const { run } = start;
    if (this.stopping) throw new Error('the process is stopping');
    this.opening.add(run);
    try {
      this.open(await this.options.access.create(run), start);
    } finally {
      this.opening.delete(run);
    }
  }

  /** Stops in order: runs are interrupted and stay resumable. */
  async stop(): Promise<void> {
    this.stopping = true;
    for (const timer of this.timers) this.clock.clearTimeout(timer);
    await Promise.all([...this.live.values()].map((run) => run.interrupt()));
    await Promise.all(this.windows);
    this.atRest = censusOf(this);
    await this.system.stop();
    this.afterStop = {
      timers: this.clock.pendingTimers,
      deadlines: this.system.services.deadlines.pending,
      actors: liveActors(this.cores),
      subscriptions: this.bus.subscriptions,
    };
  }

  /** Dies at once. */
  kill(): void {
    this.stopping = true;
    this.clock.kill();
    this.options.bus.disconnect();
  }

  /** Takes over what nobody alive owns. */
  private async lookOut(): Promise<void> {
    const { access, told } = this.options;
    try {
      for (const run of await access.left()) {
        if (this.stopping || this.live.has(run) || this.opening.has(run)) continue;
        this.opening.add(run);
        await this.takeOver(run).finally(() => this.opening.delete(run));
      }
    } catch (error) {
      told('', `could not take over: ${messageOf(error)}`);
    }
  }

  private async takeOver(run: string): Promise<void> {
    const owned = await this.options.access.adopt(run);
    if (this.stopping) return owned.release();
    this.open(owned, startOf(owned));
  }

  private open(owned: OwnedRun, start: RunStarted): void {
    const { run } = owned;
    if (this.stopping) return void owned.release();
    const window = this.windowOf(owned, () => handle.memory);
    const handle: LiveRun = new LiveRun(run, window);
    this.live.set(run, handle);
    this.options.told(run, `opens in epoch ${owned.epoch}`);
    const answers = this.bus.subscribe(ctlSubject(this.bus.ns, run), (message) =>
      answerOnBus(handle, message),
    );
    const over = (how: string): void => {
      this.options.told(run, how);
      answers.unsubscribe();
      this.live.delete(run);
      void owned.release();
      this.finish(window);
    };
    const input: RunInput = {
      run,
      assemble: (parts) =>
        assembleRun(
          {
            owned,
            node: this.node,
            start,
            services: this.services(),
            planner: rollingPlan,
            onRecord: (record) => this.recorded(handle, record),
            onCore: (core) => {
              handle.attach(core);
              this.cores.push(core);
            },
          },
          parts,
        ),
      onOpened: () => window.opened(handle),
      onEnded: () => {
        over('ends');
        this.options.ended(run);
        handle.finished();
      },
      onInterrupted: () => (over('is interrupted'), handle.interrupted()),
      onFault: (error) => {
        over(`faults with ${error.code}`);
        if (!journalFaults.has(error.code)) this.deaths.push(`${run}: ${error.message}`);
        handle.faulted(error);
      },
    };
    this.system.runs.send({ type: 'child.start', id: run, src: 'run', input });
  }

  /** Those of the process, with its breakers watched. */
  private services(): RunServices {
    const { services } = this.system;
    if (!services.breakers) return services;
    return { ...services, breakers: this.breakers.watched(services.breakers) };
  }

  private windowOf(owned: OwnedRun, memory: () => LiveRun['memory']): RunWindow {
    const { run, epoch, records } = owned;
    return new RunWindow({
      watched: this.watched,
      run,
      epoch,
      clock: this.clock,
      logger: silentLogger,
      isResumed: records.length > 0,
      memory,
      records: () => this.options.access.read(run),
    });
  }

  private recorded(handle: LiveRun, record: JournalRecord): void {
    handle.recorded(record);
    tellRecord(handle, record, silentLogger);
    const core = this.cores.findLast(({ run }) => run === handle.id);
    if (core) this.options.onRecord(record, core);
  }

  /** What a run still has to show is shown, while the bus is there. */
  private finish(window: RunWindow): void {
    const done = window
      .finish()
      .catch(() => undefined)
      .finally(() => this.windows.delete(done));
    this.windows.add(done);
  }

  private repeat(index: number, everyMs: number, act: () => void): void {
    const again = (): void => {
      this.timers[index] = this.clock.setTimeout(again, everyMs);
      act();
    };
    again();
  }
}

/** How a run faults because its journal takes no more of it. */
const journalFaults = new Set<string>(['TRP_JOURNAL_FULL', 'TRP_JOURNAL_IO', 'TRP_JOURNAL_FENCED']);
