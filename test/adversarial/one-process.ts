import type { AgentDesk } from '../../src/actors/agent.ts';
import type { GovernorSnapshot } from '../../src/actors/governor.ts';
import type { PoolSnapshot } from '../../src/actors/pool.ts';
import type { ErrorInfo, TroupeError } from '../../src/core/errors.ts';
import { silentLogger } from '../../src/core/log.ts';
import { toPlain } from '../../src/core/plain.ts';
import type { PlainObject } from '../../src/core/plain.ts';
import type { SimulatedClock } from '../../src/core/simulated-clock.ts';
import { recordFormat } from '../../src/journal/record.ts';
import type { JournalRecord, RunStarted } from '../../src/journal/record.ts';
import { reportOf } from '../../src/runtime/reporting.ts';
import { rollingPlan } from '../../src/planning/dispatch-plan.ts';
import type { ProcessLoad } from '../../src/policies/parallelism.ts';
import type { ProviderGate } from '../../src/actors/provider-gate.ts';
import type { RunReport } from '../../src/runtime/report.ts';
import { startSystem } from '../../src/runtime/system.ts';
import type { System } from '../../src/runtime/system.ts';
import { assembleRun } from '../../src/supervisors/run/assemble.ts';
import type { RunCore } from '../../src/supervisors/run/core.ts';
import type { RunInput } from '../../src/supervisors/run/run.ts';
import type { AgentSpec, Workflow } from '../../src/workflow/model.ts';
import type { Functions } from './bodies.ts';
import { LateStore } from './late-store.ts';
import type { SyncDelay } from './late-store.ts';

/** What a process is made from. */
export interface ProcessOptions {
  readonly clock: SimulatedClock;
  readonly functions?: Functions;
  /** Attempts at one time over all runs; default: no limit. */
  readonly concurrency?: number;
  /** Units of other kinds that all runs share; default: every run has its own. */
  readonly resources?: { readonly [kind: string]: number } | undefined;
  /** How the process stands at a time; default: it is idle. */
  readonly load?: (nowMs: number) => ProcessLoad;
}

/** What a run is started with. */
export interface RunOptions {
  readonly id?: string;
  readonly workflow: Workflow;
  readonly input?: PlainObject;
  readonly seed?: number;
  /** What another process has left behind; none: a new run. */
  readonly before?: readonly JournalRecord[];
  readonly delay?: SyncDelay;
  /** Called with every record once it is durable. */
  readonly onRecord?: (record: JournalRecord, core: RunCore) => void;
}

/** What of the shared parts of a process is in use. */
export interface InUse {
  readonly permits: number;
  readonly waiting: number;
  readonly scopes: number;
  readonly attempts: number;
  /** Calls to providers that wait or are under way. */
  readonly calls: number;
  /** Agents with a load. */
  readonly busyAgents: readonly string[];
}

/** A supervision tree under a simulated clock, with runs whose journals are {@link LateStore}s. */
export class OneProcess {
  readonly clock: SimulatedClock;
  /** What actors died of. */
  readonly deaths: string[] = [];
  private readonly system: System;
  private readonly gates: ProviderGate[] = [];

  constructor(options: ProcessOptions) {
    const { clock, functions = {}, concurrency = 1_000_000, resources, load } = options;
    this.clock = clock;
    const error = (message: string, fields?: PlainObject): void => {
      this.deaths.push(`${message} ${JSON.stringify(fields)}`);
    };
    this.system = startSystem({
      clock,
      logger: { ...silentLogger, error },
      concurrency,
      resources,
      functions,
      environment: {},
      onGate: ({ gate }) => this.gates.push(gate),
      load: load && (() => load(clock.now())),
      progressed: () => undefined,
    });
  }

  start(options: RunOptions): LateRun {
    return new LateRun(this.system, this.clock, options);
  }

  /** @param agents of the workflow `fuzz`, to be looked at. */
  inUse(agents: readonly string[] = []): InUse {
    const { services } = this.system;
    const { queue, holders } = snapshotOf<GovernorSnapshot>(services.governor);
    return {
      permits: Object.keys(queue.inUse()).length,
      waiting: queue.waiting(),
      scopes: holders.size,
      attempts: attemptsOf(this.system, 'function') + attemptsOf(this.system, 'simulate'),
      calls: this.gates.reduce((sum, gate) => sum + gate.waiting + gate.inFlight, 0),
      busyAgents: agents.filter((id) => isBusy(services.agent('fuzz', id))),
    };
  }

  /** When what still waits for its time is due, in milliseconds. */
  pendingDeadlines(): readonly number[] {
    const { entries } = this.system.services.deadlines as unknown as DeadlineEntries;
    return entries.items.filter(({ fire }) => fire !== undefined).map(({ due }) => due);
  }

  async stop(): Promise<void> {
    await this.system.stop();
  }
}

/** What the heap of deadlines keeps to itself. */
interface DeadlineEntries {
  readonly entries: {
    readonly items: readonly { readonly due: number; readonly fire?: unknown }[];
  };
}

/** How a run's actor has ended so far. */
export type RunEnd = 'running' | 'ended' | 'interrupted' | 'faulted';

/** One run in a process. */
export class LateRun {
  readonly store: LateStore;
  end: RunEnd = 'running';
  fault: ErrorInfo | undefined;
  endedAt = 0;
  /** Decisions that were not taken. */
  readonly refusals: Error[] = [];
  readonly clock: SimulatedClock;
  private live: RunCore | undefined;

  constructor(system: System, clock: SimulatedClock, options: RunOptions) {
    this.clock = clock;
    this.store = new LateStore(clock, options.delay ?? (() => undefined));
    const { id = 'run-test' } = options;
    system.runs.send({
      type: 'child.start',
      id,
      src: 'run',
      input: this.inputOf(system, id, options),
    });
  }

  get core(): RunCore {
    if (!this.live) throw new Error('the run did not start');
    return this.live;
  }

  get report(): RunReport {
    return reportOf(this.core.ledger.state, this.core.graph, this.clock.now());
  }

  cancel(): void {
    if (this.end === 'running') this.core.self.send({ type: 'run.cancel', by: 'somebody' });
  }

  /** A person decides the open conflict that has waited longest. */
  decide(): void {
    const [first] = this.core.ledger.state.conflicts.open.keys();
    if (this.end !== 'running' || first === undefined) return;
    const resolution = { conflict: first, choice: 'mine', by: 'somebody' } as const;
    // A run that is about to end says so.
    const answer = (error?: TroupeError): void => {
      if (error && error.code !== 'TRP_RUN_ENDED') this.refusals.push(error);
    };
    this.core.self.send({ type: 'conflict.resolve', resolution, answer });
  }

  interrupt(): void {
    if (this.end === 'running') this.core.self.send({ type: 'run.interrupt' });
  }

  private inputOf({ services }: System, run: string, options: RunOptions): RunInput {
    const { before = [], onRecord } = options;
    const owned = this.store.own(run, before);
    const start = before[0]?.type === 'run.started' ? before[0] : startOf(run, options);
    return {
      run,
      assemble: (parts) =>
        assembleRun(
          {
            owned,
            node: 'node-test',
            start,
            services,
            planner: rollingPlan,
            onRecord: (record) => onRecord?.(record, this.core),
            onCore: (core) => (this.live = core),
          },
          parts,
        ),
      onOpened: () => undefined,
      onEnded: () => this.over('ended'),
      onInterrupted: () => this.over('interrupted'),
      onFault: (error) => {
        this.fault = error;
        this.over('faulted');
      },
    };
  }

  private over(end: RunEnd): void {
    this.end = end;
    this.endedAt = this.clock.now();
  }
}

function startOf(run: string, { workflow, input = {}, seed = 1 }: RunOptions): RunStarted {
  return {
    type: 'run.started',
    run,
    format: recordFormat,
    engine: 'test',
    workflow: toPlain(workflow) as unknown as Workflow,
    source: '',
    input,
    seed,
    simulated: false,
  };
}

/** The snapshot of an actor that its users know only as a mailbox. */
function snapshotOf<Snapshot>(actor: object): Snapshot {
  return (actor as { getSnapshot(): Snapshot }).getSnapshot();
}

function attemptsOf({ services }: System, uses: 'function' | 'simulate'): number {
  const agent = { uses, isolate: 'inline' } as AgentSpec;
  return snapshotOf<PoolSnapshot>(services.pool(agent)).attempts.size;
}

/** What an agent's desk keeps to itself. */
interface DeskParts {
  readonly load: { readonly active: number };
  readonly instances: readonly { readonly inFlight: number }[];
}

function isBusy(desk: AgentDesk): boolean {
  const { load, instances } = desk as unknown as DeskParts;
  return load.active !== 0 || instances.some(({ inFlight }) => inFlight !== 0);
}
