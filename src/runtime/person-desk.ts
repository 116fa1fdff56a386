import { TroupeError } from '../core/errors.ts';
import { toPlain } from '../core/plain.ts';
import { fold } from '../journal/fold.ts';
import { inheritedRecords } from '../journal/fork.ts';
import type { JournalStore, OwnedRun } from '../journal/journal.ts';
import type { RecordBody, RunStarted } from '../journal/record.ts';
import type { RunMemory } from '../memory/run-memory.ts';
import { unknownConflict } from '../supervisors/run/conflicts.ts';
import { answerLeft, applyLeft } from '../supervisors/run/answer-left.ts';
import type { AssemblyOptions } from '../supervisors/run/assemble.ts';
import type { RunServices } from '../supervisors/run/core.ts';
import type { RunVerb } from '../supervisors/run/run-verb.ts';
import { answerDead } from './answer-dead.ts';
import type { ConflictAnswer } from './api.ts';
import { payloadOf } from './control/verb-request.ts';
import { resolutionOf } from './control/resolution.ts';
import type { LiveRun } from './live-run.ts';
import type { OwnerDesk } from './owner-desk.ts';
import type { RunWindow } from './run-window.ts';
import { startOf } from './stored-runs.ts';
import type { WatchedBus } from './watched-bus.ts';

/** What the desk needs of its process. */
export interface PersonDeskOptions {
  readonly store: JournalStore;
  readonly owners: OwnerDesk;
  readonly live: ReadonlyMap<string, LiveRun>;
  readonly services: () => RunServices;
  readonly newId: () => string;
  readonly busOf: (start: RunStarted) => Promise<WatchedBus>;
  readonly windowOf: (owned: OwnedRun, watched: WatchedBus, memory: () => RunMemory) => RunWindow;
  readonly open: (owned: OwnedRun, start: RunStarted, how: PersonOpening) => Promise<LiveRun>;
  readonly release: (owned: OwnedRun, window: RunWindow | undefined) => void;
}

/** What a run is opened for. */
export interface PersonOpening {
  readonly opening?: RunVerb;
  readonly inherited?: readonly RecordBody[];
  /** It is taken over only to be cancelled. */
  readonly cancelBy?: string;
}

/**
 * Brings what a person decides to a run, wherever that is: here, in another process, or in nobody's hands. In the
 * last case it is written into the journal, and nothing of the run runs.
 */
export class PersonDesk {
  private readonly options: PersonDeskOptions;

  constructor(options: PersonDeskOptions) {
    this.options = options;
  }

  /** Cancels a run. */
  async cancel(run: string, by: string): Promise<void> {
    const { live, owners, store, open } = this.options;
    const handle = live.get(run);
    if (handle) return void (await handle.cancel(by));
    const owner = await owners.ownerOf(run);
    if (owner !== undefined)
      return void (await owners.ask(owner, { run, verb: 'cancel', payload: { by } }));
    if (fold(await store.read(run)).status === 'ended')
      throw new TroupeError('TRP_RUN_ENDED', `Run ${run} has ended.`, { place: run });
    const owned = await store.adopt(run);
    await (await open(owned, startOf(owned), { cancelBy: by })).outcome();
  }

  /** Decides an open conflict. */
  async resolveConflict(run: string, conflict: number, answer: ConflictAnswer): Promise<void> {
    const { live, owners, store } = this.options;
    const payload = toPlain({ conflict, ...answer });
    const resolution = resolutionOf(payload, 'user');
    const handle = live.get(run);
    if (handle) return handle.resolveConflict(resolution);
    const owner = await owners.ownerOf(run);
    if (owner !== undefined)
      return void (await owners.ask(owner, { run, verb: 'resolve_conflict', payload }));
    if (!fold(await store.read(run)).conflicts.open.has(conflict))
      throw unknownConflict(run, conflict);
    await this.applyDead(run, (parts) => answerLeft(parts, resolution));
  }

  /** Carries a verb out. */
  async ask(run: string, verb: RunVerb): Promise<void> {
    if (await this.askOwner(run, verb)) return;
    await this.applyDead(run, (parts) => applyLeft(parts, verb));
  }

  /** Tries a task once more; a run that nobody carries goes on here. Undefined: another process carries it. */
  async retry(
    run: string,
    verb: Extract<RunVerb, { verb: 'retry' }>,
  ): Promise<LiveRun | undefined> {
    const { live, store, open } = this.options;
    if (await this.askOwner(run, verb)) return live.get(run);
    const { workflow } = fold(await store.read(run));
    if (workflow && !workflow.tasks.some(({ id }) => id === verb.task)) {
      const known = workflow.tasks.map(({ id }) => id).slice(0, 10);
      throw new TroupeError('TRP_TASK_STATE', `Run ${run} has no task "${verb.task}".`, {
        place: run,
        hint: `Its tasks: ${known.join(', ')}.`,
      });
    }
    const owned = await store.adopt(run);
    return open(owned, startOf(owned), { opening: verb });
  }

  /** A new run that takes over the results of another one, except from a task on. */
  async fork(run: string, task: string): Promise<LiveRun> {
    const { store, open, newId } = this.options;
    const records = await store.read(run);
    const { start, inherited } = inheritedRecords(records, task);
    const id = newId();
    const forked = { ...start, run: id, forked: { run, task } };
    return open(await store.create(id), forked, { inherited });
  }

  private async askOwner(run: string, verb: RunVerb): Promise<boolean> {
    const { live, owners } = this.options;
    const handle = live.get(run);
    if (handle) {
      await handle.carryOut(verb);
      return true;
    }
    const owner = await owners.ownerOf(run);
    if (owner === undefined) return false;
    await owners.ask(owner, { run, verb: verb.verb, payload: payloadOf(verb) });
    return true;
  }

  /** Nobody owns the run: it is taken over for the word alone, and nothing of it runs. */
  private async applyDead(
    run: string,
    apply: (parts: AssemblyOptions) => Promise<void>,
  ): Promise<void> {
    const { store, services, busOf, windowOf, release } = this.options;
    const owned = await store.adopt(run);
    let window: RunWindow | undefined;
    try {
      const start = startOf(owned);
      const watched = await busOf(start);
      const parts = { owned, start, node: store.node, services: services() };
      await answerDead(parts, apply, (memory) => {
        window = windowOf(owned, watched, memory);
        return window;
      });
    } finally {
      release(owned, window);
    }
  }
}
