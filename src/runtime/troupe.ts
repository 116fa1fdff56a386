import type { Bus } from '../bus/bus.ts';
import { TroupeError, messageOf } from '../core/errors.ts';
import type { Plain, PlainObject } from '../core/plain.ts';
import { fold } from '../journal/fold.ts';
import { deadLettersOf } from '../journal/dead-letters.ts';
import type { DeadLetter } from '../journal/dead-letters.ts';
import type { JournalStore } from '../journal/journal.ts';
import type { JournalRecord } from '../journal/record.ts';
import type { Workflow } from '../workflow/model.ts';
import type { SharedMemory } from '../memory/shared/shared-memory.ts';
import type {
  ConflictAnswer,
  RunHandle,
  RunOptions,
  RunSummary,
  SubmitOptions,
  Troupe,
  TroupeOptions,
} from './api.ts';
import { BusLinks, mainBus } from './bus-links.ts';
import type { WatchedBus } from './watched-bus.ts';
import type { ControlServer } from './control/server.ts';
import type { OpenBus } from './open-bus.ts';
import { openRunMemory } from './open-run-memory.ts';
import { EndedRun } from './ended-run.ts';
import { FollowedRun } from './followed-run.ts';
import { PersonDesk } from './person-desk.ts';
import type { QuestionAnswer } from './run-controls.ts';
import { OwnerDesk } from './owner-desk.ts';
import { holdLease } from './lease-notices.ts';
import { RunOpener } from './run-opener.ts';
import { removeRun } from './run-removal.ts';
import { RunService } from './serve/run-service.ts';
import { submitRun } from './serve/submission.ts';
import { HistoryFile } from './history.ts';
import { tellChange } from './change-messages.ts';
import type { LiveRun } from './live-run.ts';
import { assertOnBus } from './journal-options.ts';
import { openStore } from './open-store.ts';
import { readWorkflow, startOfNew } from './new-run.ts';
import { configOf } from './options.ts';
import type { TroupeConfig } from './options.ts';
import type { RunReport } from './report.ts';
import { processLoad } from './process-load.ts';
import { durableStart } from './durability.ts';
import { endingOf, runSummaries, startOf, storedReport } from './stored-runs.ts';
import { answerRequest } from './run-verbs.ts';
import { SharedQuotas } from './quota/shared-quotas.ts';
import { startSystem } from './system.ts';
import type { System } from './system.ts';

/**
 * Starts a Troupe: its actors, its bus, its journal.
 * @throws TroupeError TRP_OPTION_INVALID, and TRP_BUS_SERVER when a NATS server was asked for and there is none
 */
export async function createTroupe(options: TroupeOptions = {}): Promise<Troupe> {
  return openTroupe(configOf(options));
}

async function openTroupe(config: TroupeConfig): Promise<Troupe> {
  const main = await mainBus(config);
  try {
    return new LocalTroupe(config, await openStore(config, main.bus), main);
  } catch (error) {
    await main.close();
    throw error;
  }
}

/**
 * One process of Troupe.
 *
 * Invariants:
 * 1. The control socket is served from the first owned run on, until close.
 * 2. What is asked for after `close` is refused with TRP_CLOSED.
 */
class LocalTroupe implements Troupe {
  readonly node: string;
  private readonly config: TroupeConfig;
  private readonly store: JournalStore;
  private readonly links: BusLinks;
  private readonly system: System;
  private readonly quotas: SharedQuotas;
  private readonly history: HistoryFile;
  private readonly service: RunService;
  private readonly owners: OwnerDesk;
  private readonly person: PersonDesk;
  private readonly opener: RunOpener;
  /** Two requests to resume one run are one takeover. */
  private readonly resuming = new Map<string, Promise<RunHandle>>();
  private control: Promise<ControlServer> | undefined;
  private closing: Promise<void> | undefined;
  private readonly ending = new AbortController();

  constructor(config: TroupeConfig, store: JournalStore, main: OpenBus) {
    const { clock, logger, concurrency, resources, functions, providers, simulated } = config;
    this.config = config;
    this.store = store;
    this.node = store.node;
    this.history = new HistoryFile(config.dataDir, logger);
    this.quotas = new SharedQuotas(config, () => this.links.main.bus);
    this.system = startSystem({
      clock,
      logger,
      concurrency,
      autoConcurrency: config.autoConcurrency,
      bounds: config.bounds,
      load: simulated ? undefined : processLoad(),
      resources,
      functions,
      providers,
      onGate: (gate) => this.quotas.take(gate),
      environment: process.env,
      dataDir: config.dataDir,
      history: (workflow) => this.history.of(workflow),
      progressed: (run, task, { fraction = null, message = null }) =>
        this.opener.progressed(run, {
          type: 'task.progress',
          run,
          task,
          at: clock.now(),
          fraction,
          message,
        }),
      remote: {
        busOf: (run) => this.live.get(run)?.window.bus ?? this.links.main.bus,
        direct: config.level === 'memory',
        onUnserved: (run, pool) =>
          this.live.get(run)?.emit({ type: 'pool.unserved', run, pool, at: clock.now() }),
      },
      alerted: (run, alert) => tellChange(this.live.get(run), { alert, at: clock.now() }, logger),
      paused: (run, provider, forMs) => {
        const at = clock.now();
        this.live.get(run)?.emit({ type: 'provider.paused', run, provider, at, for_ms: forMs });
      },
    });
    this.links = new BusLinks(config, main, (input) => this.system.link(input));
    const { system, links, history } = this;
    const onOpen = (): void => this.serveControl();
    this.opener = new RunOpener({ config, store, links, system, history, onOpen });
    const { opener } = this;
    this.owners = new OwnerDesk(config, store, () => main.bus);
    this.person = new PersonDesk({
      store,
      owners: this.owners,
      live: opener.live,
      services: () => this.system.services,
      newId: () => this.newId(),
      busOf: (start) => opener.busOf(start),
      windowOf: (owned, watched, memory) => opener.windowOf(owned, watched, memory),
      open: (owned, start, how) => opener.open(owned, start, how),
      release: (owned, window) => opener.release(owned, window),
    });
    if (store.lease) holdLease(this.system, store.lease, logger);
    this.service = this.serve(main.bus);
  }

  private get live(): ReadonlyMap<string, LiveRun> {
    return this.opener.live;
  }

  get bus(): Bus {
    return this.links.main.look();
  }

  async memory(run: string): Promise<SharedMemory> {
    this.assertOpen();
    const bus = (await this.live.get(run)?.window.look()) ?? this.bus;
    return openRunMemory(bus, run, this.config);
  }

  async run(
    workflow: unknown,
    input: PlainObject = {},
    options: RunOptions = {},
  ): Promise<RunHandle> {
    this.assertOpen();
    const parsed = await readWorkflow(workflow);
    if (options.simulate && !this.config.simulated) {
      const { simulateRun } = await import('./simulation.ts');
      return simulateRun({
        workflow: parsed,
        input,
        options,
        config: this.config,
        open: openTroupe,
      });
    }
    const { source = typeof workflow === 'string' ? workflow : '' } = options;
    const watched = await this.links.of(parsed.bus, source !== '');
    return this.start(parsed, input, { ...options, source, watched });
  }

  async resume(run: string): Promise<RunHandle> {
    this.assertOpen();
    const known = this.live.get(run) ?? this.resuming.get(run);
    if (known) return known;
    const resuming = this.takeOver(run).finally(() => this.resuming.delete(run));
    this.resuming.set(run, resuming);
    return resuming;
  }

  private async takeOver(run: string): Promise<RunHandle> {
    if ((await endingOf(this.store, run)) === 'succeeded')
      return new EndedRun(await this.show(run));
    const owned = await this.store.adopt(run);
    return this.opener.open(owned, await durableStart(owned, this.store.level));
  }

  private async adoptOrphan(run: string): Promise<'adopted' | 'over'> {
    if (this.live.has(run) || this.resuming.has(run)) return 'adopted';
    const { status } = fold(await this.store.read(run));
    // One that never began is in the queue of submissions, or of no use to anybody.
    if (status === 'created') return 'over';
    const owned = await this.store.adopt(run);
    if (status !== 'ended') await this.opener.open(owned, startOf(owned));
    // Who owned it died between its last record and saying so.
    else await owned.release();
    return status === 'ended' ? 'over' : 'adopted';
  }

  async submit(
    workflow: unknown,
    input: PlainObject = {},
    options: SubmitOptions = {},
  ): Promise<string> {
    this.assertOpen();
    assertOnBus(this.config, 'submit');
    const { id: run = this.newId(), source = typeof workflow === 'string' ? workflow : '' } =
      options;
    const parsed = await readWorkflow(workflow);
    const start = { run, workflow: parsed, input, options: { ...options, source } };
    await submitRun(this.links.main.bus, startOfNew(start, this.config));
    return run;
  }

  async follow(run: string): Promise<RunHandle> {
    this.assertOpen();
    assertOnBus(this.config, 'follow');
    const known = this.live.get(run);
    if (known) return known;
    return FollowedRun.open({
      store: this.store,
      run,
      clock: this.config.clock,
      cancel: (by) => this.cancel(run, by),
      carryOut: (verb) => this.person.ask(run, verb),
      signal: this.ending.signal,
    });
  }

  drain(withinMs = 0): Promise<void> {
    return this.service.drain(withinMs);
  }

  async show(run: string): Promise<RunReport> {
    return this.live.get(run)?.report() ?? storedReport(this.store, run);
  }

  records(run: string): Promise<readonly JournalRecord[]> {
    return this.store.read(run);
  }

  async deadLetters(run: string): Promise<readonly DeadLetter[]> {
    return deadLettersOf(await this.store.read(run));
  }

  runs(): Promise<readonly RunSummary[]> {
    return runSummaries(this.store);
  }

  cancel(run: string, by = 'user'): Promise<void> {
    return this.person.cancel(run, by);
  }

  resolveConflict(run: string, conflict: number, answer: ConflictAnswer): Promise<void> {
    return this.person.resolveConflict(run, conflict, answer);
  }

  answer(run: string, question: number, answer: QuestionAnswer): Promise<void> {
    return this.person.ask(run, { ...answer, verb: 'answer', question, by: answer.by ?? 'user' });
  }

  pause(run: string, by = 'user'): Promise<void> {
    return this.person.ask(run, { verb: 'pause', by });
  }

  skip(run: string, task: string, by = 'user'): Promise<void> {
    return this.person.ask(run, { verb: 'skip', task, by });
  }

  retry(run: string, task: string, by = 'user'): Promise<RunHandle | undefined> {
    return this.person.retry(run, { verb: 'retry', task, by });
  }

  fork(run: string, { from }: { readonly from: string }): Promise<RunHandle> {
    return this.person.fork(run, from);
  }

  async ask(run: string, verb: string, payload: Plain = null): Promise<Plain> {
    if (this.live.has(run)) return answerRequest(this.live, { run, verb, payload });
    const owner = await this.owners.ownerOf(run);
    if (owner === undefined)
      throw new TroupeError('TRP_CONTROL_UNREACHABLE', `No live process owns run ${run}.`, {
        place: run,
      });
    return this.owners.ask(owner, { run, verb, payload });
  }

  close(): Promise<void> {
    this.closing ??= this.shutDown();
    return this.closing;
  }

  private async start(
    workflow: Workflow,
    input: PlainObject,
    options: RunOptions & { readonly watched: WatchedBus },
  ): Promise<LiveRun> {
    const run = this.newId();
    const start = startOfNew({ run, workflow, input, options }, this.config);
    return this.opener.open(await this.store.create(run), start, { watched: options.watched });
  }

  private serve(bus: Bus): RunService {
    const { config, opener, store, system } = this;
    const { clock, logger } = config;
    return new RunService({
      node: store.node,
      store,
      clock,
      logger,
      bus,
      takeRuns: config.takeRuns,
      adopts: config.adopt,
      retainMs: config.retainMs,
      members: system.service,
      running: () => [...this.live.values()].map((handle) => handle.outcome()),
      open: (owned, start) => opener.open(owned, start),
      adopt: (run) => this.adoptOrphan(run),
      remove: (run) => removeRun(store, bus, run),
    });
  }

  private serveControl(): void {
    const { control, dataDir, logger } = this.config;
    if (!control || dataDir === undefined) return;
    this.control ??= import('./control/server.ts').then(({ serveControl }) =>
      serveControl({
        dataDir,
        node: this.node,
        handle: (request) => answerRequest(this.live, request),
      }),
    );
    this.control.catch((error: unknown) =>
      logger.warn('no control socket', { message: messageOf(error) }),
    );
  }

  private newId(): string {
    return this.config.ids.run(this.config.clock.now());
  }

  private async shutDown(): Promise<void> {
    this.ending.abort();
    this.opener.close();
    await this.service.stop();
    await this.opener.interruptAll();
    await (await this.control?.catch(() => undefined))?.close();
    await this.quotas.close();
    // Journals on the bus are given up before it goes; whoever looks for runs takes them at once.
    if (this.config.journal === 'bus') await this.store.close();
    await this.links.close();
    await this.system.stop();
    await this.store.close();
  }

  private assertOpen(): void {
    if (this.closing) throw new TroupeError('TRP_CLOSED', 'This Troupe has been closed.');
  }
}
