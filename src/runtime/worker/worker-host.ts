import { createBehaviours } from '../../actors/behaviours/registry.ts';
import type { Behaviours } from '../../actors/behaviours/registry.ts';
import type { CollectionEvent, CollectionSnapshot } from '../../actors/collection.ts';
import type { PoolEvent } from '../../actors/pool.ts';
import { allHosts, heartbeatMs } from '../../actors/remote/hosts.ts';
import { unpacked } from '../../actors/remote/large-message.ts';
import { workProtocol } from '../../actors/remote/messages.ts';
import { isSameTry, labelOf } from '../../actors/remote/label.ts';
import type { Assignment, ClaimAnswer, HostOrder } from '../../actors/remote/messages.ts';
import type { Label } from '../../actors/remote/label.ts';
import { readAssignment, readLabel, readOrder } from '../../actors/remote/read-message.ts';
import { workerHostMachine } from '../../actors/worker-host.ts';
import { createRoot } from '../../actors/xstate.ts';
import type { AnyActorRef } from '../../actors/xstate.ts';
import type { Bus, BusMessage, Subscription } from '../../bus/bus.ts';
import { ctlSubject } from '../../bus/subjects.ts';
import { heartbeatSubject } from '../../bus/worker-subjects.ts';
import type { WorkItem } from '../../bus/work-queue.ts';
import type { TimerHandle } from '../../core/clock.ts';
import { errorInfo, messageOf, TroupeError } from '../../core/errors.ts';
import type { Plain } from '../../core/plain.ts';
import { LocalProviderGates } from '../provider-gates.ts';
import { SharedQuotas } from '../quota/shared-quotas.ts';
import type { WorkerHost, WorkerStats } from './api.ts';
import { HostAttempt } from './host-attempt.ts';
import type { HowDone } from './host-attempt.ts';
import { HostRuns } from './host-runs.ts';
import { withoutSecrets } from '../../core/redaction.ts';
import { HostSecrets } from './host-secrets.ts';
import { Outlets } from './outlet.ts';
import type { Outlet } from './outlet.ts';
import { permitted } from './permission.ts';
import { PoolTally } from './pool-tally.ts';
import { PromptAnswer } from './prompt-answer.ts';
import { Puller } from './puller.ts';
import { showServices } from './shown-service.ts';
import type { WorkerConfig } from './worker-config.ts';

/** An item whose run has no owner that answers goes back for so long, in milliseconds. */
const ownerlessMs = 2_000;

/** An item of a newer version goes back for so long: a newer host may take it. In milliseconds. */
const newerMs = 5_000;

/** Deliveries after which an item that no host can read is given up. */
const mostUnread = 5;

/** What an end at once may take, in milliseconds. */
const closeMs = 1_000;

const drainMs = 30_000;

/** An attempt at work, and the item that it came with; none if it came directly. */
interface AtWork {
  readonly attempt: HostAttempt;
  readonly item: WorkItem | undefined;
  readonly since: number;
  /** Of one that came directly, while its owner may wait for it. */
  readonly answer: PromptAnswer | undefined;
}

/** How an attempt comes here, and where its end goes. */
interface Beginning {
  readonly item?: WorkItem;
  readonly outlet: Outlet;
  readonly steps?: ClaimAnswer['steps'];
  readonly answer?: PromptAnswer;
}

/** What a host is made from. */
export interface HostParts {
  readonly config: WorkerConfig;
  readonly bus: Bus;
  /** Lets go of the bus, when it was opened for this host. */
  readonly closeBus: () => Promise<void>;
}

/**
 * A worker host.
 *
 * Invariants:
 * 1. `busy` counts the items and attempts that hold a slot: at most as many as there are slots.
 * 2. An item is acknowledged only when its result is stored, or its run's owner has said that nobody wants it.
 * 3. After `stopped` nothing of it lives: no attempt, no timer, no subscription.
 */
export class LocalWorkerHost implements WorkerHost {
  readonly id: string;
  private readonly config: WorkerConfig;
  private readonly bus: Bus;
  private readonly closeBus: () => Promise<void>;
  private readonly root: ReturnType<typeof createRoot<typeof workerHostMachine>>;
  private readonly behaviours: Behaviours;
  private readonly runs: HostRuns;
  private readonly quotas: SharedQuotas;
  private readonly outlets: Outlets;
  private readonly secrets = new HostSecrets();
  private readonly puller: Puller;
  private readonly subscriptions: readonly Subscription[];
  private readonly atWork = new Map<string, AtWork>();
  private readonly counts = { succeeded: 0, failed: 0, handedBack: 0, refused: 0, busyMs: 0 };
  private readonly tallies = new Map<string, PoolTally>();
  private readonly hide: () => void;
  private busy = 0;
  private slotWaiter: (() => void) | undefined;
  private idleWaiter: (() => void) | undefined;
  private timer: TimerHandle;
  private ending: Promise<void> | undefined;

  constructor({ config, bus, closeBus }: HostParts) {
    const { clock, logger, functions, environment, providers, ids, pools } = config;
    this.config = config;
    this.bus = bus;
    this.closeBus = closeBus;
    this.id = ids.node();
    const onFault = (id: string, error: unknown): void =>
      logger.error('an actor died of an error', { actor: id, error: messageOf(error) });
    this.root = createRoot(workerHostMachine, {
      id: 'worker_host',
      input: { onDraining: () => this.beat(), onFault },
      clock,
      logger,
      onFault: (error) => onFault('worker_host', error),
    });
    this.root.start();
    this.behaviours = createBehaviours({ clock, functions, environment });
    this.quotas = new SharedQuotas({ bus, clock, ids, logger }, () => bus);
    const gates = new LocalProviderGates({
      clock,
      providers,
      start: (id, input) => this.gateActor(id, input),
      onGate: (gate) => this.quotas.take(gate),
    });
    this.runs = new HostRuns(gates);
    const isStopped = (): boolean => this.state === 'stopped';
    this.outlets = new Outlets({ bus, clock, logger, isStopped });
    this.puller = new Puller({
      bus,
      pools,
      clock,
      logger,
      take: (item) => this.take(item),
      slot: () => this.slot(),
    });
    const hear = (message: BusMessage): void => this.hear(message);
    this.subscriptions = [this.id, allHosts].map((target) =>
      bus.subscribe(ctlSubject(bus.ns, target), hear),
    );
    this.hide = showServices(bus, {
      id: this.id,
      slots: config.concurrency,
      startedAt: clock.now(),
      pools,
      tally: (pool) => this.tallyOf(pool),
    });
    this.puller.start();
    this.keepBeating();
  }

  get pools(): readonly string[] {
    return this.config.pools;
  }

  get state(): WorkerHost['state'] {
    return this.root.getSnapshot().value;
  }

  readiness(): { readonly [check: string]: string } {
    const { state, bus, puller } = this;
    return {
      state: state === 'serving' ? 'ok' : state,
      bus: bus.state === 'connected' ? 'ok' : bus.state,
      queues: puller.isOpen ? 'ok' : 'not open yet',
    };
  }

  stats(): WorkerStats {
    return { slots: this.config.concurrency, busy: this.busy, ...this.counts };
  }

  drain({ withinMs = drainMs }: { readonly withinMs?: number } = {}): Promise<void> {
    this.ending ??= this.end(withinMs);
    return this.ending;
  }

  async close(): Promise<void> {
    const ending = this.drain({ withinMs: 0 });
    // One that was draining gently is hurried.
    this.handAllBack();
    return ending;
  }

  private async end(withinMs: number): Promise<void> {
    this.root.send({ type: 'host.drain' });
    await this.puller.stop();
    if (!(await this.idleWithin(withinMs))) {
      this.handAllBack();
      await this.idleWithin(closeMs + this.longestKillMs());
    }
    this.config.clock.clearTimeout(this.timer);
    this.hide();
    this.runs.stop();
    this.root.send({ type: this.busy === 0 ? 'host.idle' : 'host.stop' });
    for (const subscription of this.subscriptions) subscription.unsubscribe();
    await this.quotas.close();
    await this.behaviours.close();
    await this.closeBus();
  }

  private longestKillMs(): number {
    const kills = [...this.atWork.values()].map(({ attempt }) => attempt.killAfterMs);
    return Math.max(0, ...kills);
  }

  private handAllBack(): void {
    for (const [key, { attempt, answer }] of this.atWork) {
      if (attempt.handsBack) continue;
      answer?.begun();
      attempt.handsBack = true;
      const error = new TroupeError('TRP_ATTEMPT_CANCELLED', 'The worker host is shutting down.', {
        errorClass: 'cancelled',
      });
      this.poolActor().send({ type: 'attempt.abort', key, error });
    }
  }

  /** A pulled item; its slot is taken at once. */
  private take(item: WorkItem): boolean {
    if (this.busy >= this.config.concurrency || this.state !== 'serving') return false;
    this.busy++;
    this.open(item).catch((error: unknown) => {
      this.config.logger.warn('an item of work could not be begun', { message: messageOf(error) });
      item.nak(ownerlessMs).catch(ignore);
      this.free();
    });
    return true;
  }

  private async open(item: WorkItem): Promise<void> {
    let assignment: Assignment;
    try {
      assignment = readAssignment(await unpacked(this.bus, item.payload));
    } catch (error) {
      return this.cannotRead(item, error);
    }
    const answer = await this.claim(assignment);
    if (answer === undefined) {
      await item.nak(ownerlessMs);
      return this.free();
    }
    if (!answer.go) {
      this.counts.refused++;
      await item.ack();
      return this.free();
    }
    this.begin(assignment, { item, outlet: this.outlets.stored, steps: answer.steps });
  }

  /** Undefined: nobody owns the run right now. */
  private async claim(assignment: Assignment): Promise<ClaimAnswer | undefined> {
    const { run } = assignment;
    try {
      const label = labelOf(assignment);
      const claim = { protocol: workProtocol, host: this.id, type: 'claim', ...label } as const;
      return (await this.outlets.ask(claim)) as unknown as ClaimAnswer;
    } catch (error) {
      this.config.logger.debug('no owner answers', { run, message: messageOf(error) });
      return undefined;
    }
  }

  /** Another host may know better; after some tries the run's owner is told. */
  private async cannotRead(item: WorkItem, thrown: unknown): Promise<void> {
    const { logger } = this.config;
    const error = errorInfo(thrown);
    logger.warn('an assignment cannot be read', { message: error.message, hint: error.hint ?? '' });
    const label = readLabel(item.payload);
    if (item.deliveries < mostUnread) await item.nak(newerMs);
    else {
      if (label) await this.refuse(label, thrown);
      await item.term(error.message);
    }
    this.free();
  }

  private async refuse(label: Label, thrown: unknown): Promise<void> {
    const about = { protocol: workProtocol, host: this.id, ...labelOf(label) };
    await this.outlets.ask({ ...about, type: 'claim' });
    await this.outlets.stored({ ...about, type: 'failure', error: errorInfo(thrown) });
  }

  private begin(assignment: Assignment, { item, outlet, steps, answer }: Beginning): void {
    const { clock, logger } = this.config;
    const key = `${assignment.operation}/${assignment.attempt}/${assignment.epoch}`;
    const since = clock.monotonic();
    const tally = this.tallyOf(assignment.pool);
    this.secrets.learn(assignment.secrets ?? [], this.config.environment);
    const attempt: HostAttempt = new HostAttempt({
      host: this.id,
      assignment,
      outlets: this.outlets,
      outlet,
      clock,
      logger: withoutSecrets(logger, this.secrets),
      secrets: this.secrets,
      gate: (call) => this.runs.gate(assignment.run, call),
      done: (how) => this.done(key, how),
      ended: (error) => {
        this.counts[error === undefined ? 'succeeded' : 'failed']++;
        tally.ended(clock.monotonic() - since, error);
      },
    });
    tally.began(assignment.request.agent.id);
    this.runs.enter(assignment.run, assignment.providers);
    this.atWork.set(key, { attempt, item, since, answer });
    try {
      const agent = permitted(assignment.request.agent, this.config);
      const request = { ...attempt.request(this.config.baseDir ?? '/', steps), agent };
      const behaviour = this.behaviours.for(agent);
      this.poolActor().send({ type: 'attempt.begin', key, behaviour, request, client: attempt });
    } catch (error) {
      attempt.settled({ status: 'failed', error: errorInfo(error) });
    }
  }

  private done(key: string, how: HowDone): void {
    const work = this.atWork.get(key);
    if (!work) return;
    const { item, since, attempt, answer } = work;
    this.atWork.delete(key);
    answer?.begun();
    this.runs.leave(attempt.label.run);
    this.counts.busyMs += this.config.clock.monotonic() - since;
    if (how !== 'over') this.counts.handedBack++;
    const settled = how === 'undone' ? item?.nak() : item?.ack();
    // Held no more: somebody else has it, or it is settled; its result tells.
    settled?.catch(ignore);
    this.free();
  }

  private tallyOf(pool: string): PoolTally {
    const known = this.tallies.get(pool) ?? new PoolTally();
    this.tallies.set(pool, known);
    return known;
  }

  private free(): void {
    this.busy--;
    this.slotWaiter?.();
    this.slotWaiter = undefined;
    if (this.busy === 0) this.idleWaiter?.();
  }

  private slot(): Promise<void> {
    if (this.busy < this.config.concurrency) return Promise.resolve();
    return new Promise((resolve) => (this.slotWaiter = resolve));
  }

  private idleWithin(ms: number): Promise<boolean> {
    if (this.busy === 0) return Promise.resolve(true);
    const { clock } = this.config;
    return new Promise((resolve) => {
      const timer = clock.setTimeout(() => resolve(false), ms);
      this.idleWaiter = () => {
        clock.clearTimeout(timer);
        resolve(true);
      };
    });
  }

  private hear(message: BusMessage): void {
    try {
      this.obey(readOrder(message.payload), message);
    } catch (error) {
      this.config.logger.warn('an order cannot be read', { message: messageOf(error) });
      message.respond({ error: errorInfo(error) as unknown as Plain });
    }
  }

  private obey(order: HostOrder, message: BusMessage): void {
    if (order.type === 'report') return this.beat();
    if (order.type === 'abort') return this.abort(order);
    if (order.type === 'adopt') return message.respond(this.adopt(order));
    const assignment = readAssignment(order.assignment as unknown as Plain);
    if (this.busy >= this.config.concurrency || this.state !== 'serving')
      return message.respond(false);
    this.busy++;
    this.begin(assignment, this.directly(message, order.takesEnd === true));
  }

  private directly(message: BusMessage, takesEnd: boolean): Beginning {
    const otherwise = this.outlets.told;
    if (!takesEnd) {
      message.respond(true);
      return { outlet: otherwise };
    }
    const respond = (payload: Plain): void => message.respond(payload);
    const answer = new PromptAnswer({ clock: this.config.clock, respond, otherwise });
    return { outlet: answer.outlet, answer };
  }

  private abort(order: Extract<HostOrder, { type: 'abort' }>): void {
    for (const [key, { attempt }] of this.atWork) {
      if (!isSameTry(attempt.label, order)) continue;
      const { message, code, errorClass } = order.error;
      attempt.isUnwanted ||= code === 'TRP_ATTEMPT_LOST';
      const error = new TroupeError(code, message, { errorClass });
      this.poolActor().send({ type: 'attempt.abort', key, error });
    }
  }

  /** The label that it has from now on is the new owner's. */
  private adopt(order: Extract<HostOrder, { type: 'adopt' }>): boolean {
    for (const { attempt } of this.atWork.values()) {
      const { operation, attempt: number, epoch } = attempt.label;
      if (operation !== order.operation || number !== order.was || epoch > order.epoch) continue;
      if (attempt.hasEnded) return false;
      attempt.label = labelOf(order);
      return true;
    }
    return false;
  }

  private keepBeating(): void {
    this.beat();
    for (const { item } of this.atWork.values()) item?.inProgress().catch(ignore);
    this.timer = this.config.clock.setTimeout(() => this.keepBeating(), heartbeatMs);
  }

  private beat(): void {
    const { bus, config } = this;
    const { concurrency: slots, pools, logger } = config;
    const labels = [...this.atWork.values()].map(({ attempt }) => attempt.label);
    try {
      const beat = { protocol: workProtocol, type: 'heartbeat', host: this.id, pools, slots };
      bus.publish(heartbeatSubject(bus.ns, this.id), {
        ...beat,
        free: slots - this.busy,
        draining: this.state !== 'serving',
        attempts: labels as unknown as Plain,
      });
    } catch (error) {
      logger.debug('no sign of life', { message: messageOf(error) });
    }
  }

  private poolActor(): { send(event: PoolEvent): void } {
    return this.child('pool');
  }

  private gateActor(id: string, input: unknown): AnyActorRef {
    const gates = this.child('gates') as { send(event: CollectionEvent): void } & AnyActorRef;
    gates.send({ type: 'child.start', id, src: 'provider_gate', input });
    const gate = (gates.getSnapshot() as CollectionSnapshot).children.get(id);
    if (!gate) throw new Error(`the gate ${id} did not start`);
    return gate;
  }

  private child(id: 'pool' | 'gates'): AnyActorRef {
    const child = this.root.getSnapshot().children[id];
    if (!child) throw new TroupeError('TRP_CLOSED', 'The worker host has stopped.');
    return child;
  }
}

function ignore(): void {
  // What becomes of the item is known by other ways: its result, or the silence of this host.
}
