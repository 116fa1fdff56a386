import { ctlSubject } from '../bus/subjects.ts';
import { withoutLogin } from '../core/bus-choice.ts';
import { messageOf, TroupeError } from '../core/errors.ts';
import type { JournalStore, OwnedRun } from '../journal/journal.ts';
import type { JournalRecord, RunStarted } from '../journal/record.ts';
import type { RunMemory } from '../memory/run-memory.ts';
import { assembleRun } from '../supervisors/run/assemble.ts';
import type { RunInput } from '../supervisors/run/run.ts';
import { tellAlert } from './alert-messages.ts';
import type { RunEvent } from './api.ts';
import type { BusLinks } from './bus-links.ts';
import { withoutBus } from './bus-notices.ts';
import { plannerFor } from './history.ts';
import type { HistoryFile } from './history.ts';
import { runLost } from './lease-notices.ts';
import { tellProgress, tellRecord } from './live-messages.ts';
import { LiveRun } from './live-run.ts';
import type { TroupeConfig } from './options.ts';
import type { PersonOpening } from './person-desk.ts';
import { answerOnBus } from './run-verbs.ts';
import { RunWindow } from './run-window.ts';
import type { System } from './system.ts';
import type { WatchedBus } from './watched-bus.ts';

/** How a run is opened, besides its journal. */
export interface Opening extends PersonOpening {
  /** Default: what the document or the process says. */
  readonly watched?: WatchedBus;
}

/** What runs are opened with. */
export interface RunOpenerOptions {
  readonly config: TroupeConfig;
  readonly store: JournalStore;
  readonly links: BusLinks;
  readonly system: System;
  readonly history: HistoryFile;
  /** Called before each run: from the first one on, other processes may want something of it. */
  readonly onOpen: () => void;
}

/**
 * Brings the runs of a process to life, and lets go of them.
 *
 * Invariants:
 * 1. `live` holds exactly the runs that this process owns and has not let go of.
 * 2. A run's ownership is released after its actor has ended, and only then.
 */
export class RunOpener {
  readonly live = new Map<string, LiveRun>();
  private readonly options: RunOpenerOptions;
  private readonly releasing = new Set<Promise<void>>();
  private closed = false;

  constructor(options: RunOpenerOptions) {
    this.options = options;
  }

  /** Nothing is opened from now on: TRP_CLOSED. */
  close(): void {
    this.closed = true;
  }

  /** Resolves when every run has been interrupted and given up. */
  async interruptAll(): Promise<void> {
    await Promise.all([...this.live.values()].map((handle) => handle.interrupt()));
    await Promise.all(this.releasing);
  }

  /** Carries a run that this process owns; resolves when its start, or its takeover, is durable. */
  async open(owned: OwnedRun, start: RunStarted, how: Opening = {}): Promise<LiveRun> {
    const { watched = await this.busOf(start) } = how;
    const planner = await plannerFor(start.workflow, this.options.history);
    // From here on there is no waiting: who closes finds either no run or one that lives.
    if (this.closed) {
      await owned.release();
      throw new TroupeError('TRP_CLOSED', 'This Troupe has been closed.');
    }
    const window = this.windowOf(owned, watched, () => handle.memory);
    const handle: LiveRun = new LiveRun(owned.run, window);
    this.live.set(owned.run, handle);
    this.options.onOpen();
    await this.begin({ owned, start, how, handle, planner, watched });
    return handle;
  }

  /** The bus of a run that is taken over. It goes on unseen when that is away: a run never waits for a bus. */
  async busOf({ workflow, source }: RunStarted): Promise<WatchedBus> {
    const { config, links } = this.options;
    try {
      return await links.of(workflow.bus, source !== '');
    } catch (error) {
      withoutBus(config.logger, withoutLogin(workflow.bus ?? 'URL'), messageOf(error));
      return links.main;
    }
  }

  /** What the bus sees of a run. */
  windowOf(owned: OwnedRun, watched: WatchedBus, memory: () => RunMemory): RunWindow {
    const { config, store } = this.options;
    const { clock, logger } = config;
    const { run, epoch, records, checkpoint } = owned;
    return new RunWindow({
      watched,
      run,
      epoch,
      clock,
      logger,
      isResumed: records.length > 0 || checkpoint !== undefined,
      ...(config.journal === 'bus' && { journaled: owned }),
      memory,
      records: () => store.read(run),
    });
  }

  /** Gives a run up, without anybody waiting for it. */
  release(owned: OwnedRun, window: RunWindow | undefined): void {
    const { config, links } = this.options;
    this.live.delete(owned.run);
    if (window) links.finish(window);
    const done = owned
      .release()
      .catch((error: unknown) =>
        config.logger.error('a run could not be released', { message: messageOf(error) }),
      )
      .finally(() => this.releasing.delete(done));
    this.releasing.add(done);
  }

  /** An attempt has told how far it is. */
  progressed(run: string, event: Extract<RunEvent, { type: 'task.progress' }>): void {
    const handle = this.live.get(run);
    if (!handle) return;
    handle.emit(event);
    const { task, at, fraction, message } = event;
    handle.window.progressed(task, { task, at, fraction, message });
    tellProgress(handle, event, this.options.config.logger);
  }

  private begin(parts: Beginning): Promise<void> {
    return new Promise((resolve, reject) => {
      const input = this.inputOf(parts, { resolve, reject });
      const id = parts.owned.run;
      this.options.system.runs.send({ type: 'child.start', id, src: 'run', input });
    });
  }

  private inputOf(parts: Beginning, { resolve, reject }: Settler): RunInput {
    const { owned, start, handle, watched } = parts;
    const { config, history, system } = this.options;
    const { run } = owned;
    const answers = watched.bus.subscribe(ctlSubject(watched.bus.ns, run), (message) =>
      answerOnBus(handle, message),
    );
    const over = (hasEnded: boolean): void => {
      answers.unsubscribe();
      this.release(owned, handle.window);
      void system.remote?.runOver(run, hasEnded);
    };
    return {
      run,
      assemble: (tree) => assembleRun(this.assemblyOf(parts), tree),
      onOpened: () => {
        handle.window.opened(handle);
        resolve();
      },
      onEnded: () => {
        over(true);
        handle.finished();
        history.learnFrom(start, handle);
      },
      onInterrupted: () => {
        over(false);
        handle.interrupted();
        reject(new TroupeError('TRP_CLOSED', `Run ${run} was interrupted before it began.`));
      },
      onFault: (error) => {
        runLost(config.logger, handle, error);
        over(false);
        handle.faulted(error);
        reject(new TroupeError(error.code, error.message, { place: run }));
      },
    };
  }

  private assemblyOf({ owned, start, how, handle, planner }: Beginning) {
    const { store, system } = this.options;
    const { cancelBy, inherited, opening } = how;
    return {
      owned,
      node: store.node,
      start,
      services: system.services,
      planner,
      onRecord: (record: JournalRecord) => this.recorded(handle, record),
      onCore: (core: Parameters<LiveRun['attach']>[0]) => handle.attach(core),
      opening,
      inherited,
      ...(cancelBy === undefined ? {} : { cancelBy }),
    };
  }

  private recorded(handle: LiveRun, record: JournalRecord): void {
    const { logger } = this.options.config;
    handle.recorded(record);
    tellRecord(handle, record, logger);
    if (record.type === 'alert.raised') tellAlert(handle, record, logger);
  }
}

/** A run that is about to live. */
interface Beginning {
  readonly owned: OwnedRun;
  readonly start: RunStarted;
  readonly how: Opening;
  readonly handle: LiveRun;
  readonly planner: Awaited<ReturnType<typeof plannerFor>>;
  readonly watched: WatchedBus;
}

interface Settler {
  readonly resolve: () => void;
  readonly reject: (error: TroupeError) => void;
}
