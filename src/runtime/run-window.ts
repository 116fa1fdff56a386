import type { Bus } from '../bus/bus.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import type { Plain } from '../core/plain.ts';
import type { OwnedRun } from '../journal/journal.ts';
import type { JournalRecord } from '../journal/record.ts';
import type { RunMemory } from '../memory/run-memory.ts';
import { serveProposals } from '../memory/shared/serve.ts';
import type { ProposalDesk } from '../memory/shared/serve.ts';
import type { WatchedBus } from './watched-bus.ts';
import { RunProjection } from './projection/run-projection.ts';

/** What a window is made from. */
export interface RunWindowOptions {
  readonly watched: WatchedBus;
  readonly run: string;
  readonly epoch: number;
  /** The journal has records already: the run was taken over. */
  readonly isResumed: boolean;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The run's journal is on the bus as well, and owned through this: it need not be shown there. */
  readonly journaled?: Pick<OwnedRun, 'inDoubt'>;
  readonly memory: () => RunMemory;
  readonly records: () => Promise<readonly JournalRecord[]>;
}

/** How long the end of a run waits for what is still to be shown. */
const closeMs = 2_000;

/**
 * A run's side to the bus: it shows the run and takes proposals to its memory. While nobody can be looking, a
 * record costs one comparison.
 */
export class RunWindow {
  private readonly options: RunWindowOptions;
  private projection: RunProjection | undefined;
  private readonly stops: (() => void)[] = [];

  constructor(options: RunWindowOptions) {
    this.options = options;
    const { watched, isResumed } = options;
    if (watched.isWatched) this.show(isResumed);
    else this.stops.push(watched.onWatched(() => this.show(true)));
  }

  get bus(): Bus {
    return this.options.watched.bus;
  }

  get run(): string {
    return this.options.run;
  }

  /** For people; holds no secret. */
  get busName(): string {
    return this.options.watched.name;
  }

  /** The run listens: others may propose. */
  opened(desk: ProposalDesk): void {
    const { watched, run } = this.options;
    this.stops.push(serveProposals(watched.bus, run, desk));
  }

  /** Somebody looks at this run. */
  async look(): Promise<Bus> {
    const bus = this.options.watched.look();
    await this.settled();
    return bus;
  }

  recorded(record: JournalRecord): void {
    this.projection?.recorded(record);
  }

  progressed(task: string, progress: Plain): void {
    this.projection?.progressed(task, progress);
  }

  /** Resolves when what has happened by now is on the bus. */
  async settled(): Promise<void> {
    await this.projection?.settled();
  }

  /** The run is over: nobody may propose. Resolves when all of it has been shown, however long the bus is away. */
  async finish(): Promise<void> {
    for (const stop of this.stops) stop();
    await this.settled();
  }

  /** Shows what can be shown within a moment, and then no more. False: something was left. */
  async close(): Promise<boolean> {
    return (await this.projection?.close(closeMs)) ?? true;
  }

  /** Another process shows the run from now on. */
  abandon(): void {
    this.projection?.abandon();
  }

  private show(fromStart: boolean): void {
    const { watched, ...rest } = this.options;
    this.projection = new RunProjection({ ...rest, bus: watched.bus, busName: watched.name });
    if (fromStart) this.projection.catchUp();
  }
}
