import type { Clock } from '../core/clock.ts';
import type { Deadline, Deadlines } from '../core/deadlines.ts';
import { TroupeError, messageOf } from '../core/errors.ts';
import type { Random } from '../core/random.ts';
import { decideRestart, noRestarts, restartSet } from '../policies/restart.ts';
import type { ChildEnd } from '../policies/restart.ts';
import type { RestartSpec, RestartType } from '../policies/restart-spec.ts';
import { sweep } from './sweep.ts';
import { createActor } from './xstate.ts';
import type { AnyActorLogic, AnyActorRef } from './xstate.ts';

/** A child of a supervisor. */
export interface ChildSpec {
  readonly id: string;
  readonly logic: AnyActorLogic;
  /** Called at every start. Default: no input. */
  readonly input?: () => unknown;
  readonly restart: RestartType;
  /** Asks the child to end by itself; it is stopped at once without one. */
  readonly ask?: { readonly type: string };
  /** How long it may take for that, in milliseconds, before it is stopped. Default 5 s. */
  readonly shutdownMs?: number;
}

/** What a supervisor is made from. */
export interface SupervisorInput {
  /** In the order of their start; they are stopped in reverse. */
  readonly children: readonly ChildSpec[];
  readonly restart: RestartSpec;
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly random: Random;
  /** Called after each start, with the actor that stands for the child from now on. */
  readonly onStarted?: (id: string, child: AnyActorRef) => void;
  /** Called when a child has ended, or is about to be stopped. */
  readonly onGone?: (id: string) => void;
  /** Called when a child has died of an error, before anything is done about it. */
  readonly onFault?: (id: string, error: unknown) => void;
}

/** Where a supervisor stands; the names of its chart. */
export type SupervisorPhase =
  | 'running'
  | 'restarting'
  | 'stopping'
  | 'stopped'
  | 'escalating'
  | 'escalated';

/** How a child ended, and of what. */
export interface Ended {
  readonly end: ChildEnd;
  readonly error?: unknown;
}

/** What children need of their parent. */
interface Scope {
  readonly self: AnyActorRef;
  stopChild(child: AnyActorRef): void;
}

const defaultShutdownMs = 5_000;

/**
 * The children of one supervisor.
 *
 * Invariants:
 * 1. A child is in the Map from its start until it has ended or been stopped, and never longer.
 * 2. At most one child is being stopped; the next one is stopped only when it is gone.
 * 3. Nothing is started while something is being stopped, and nothing at all after stop, kill or escalation.
 * 4. A child that is gone has left nothing running below it, whatever it died of.
 * 5. A throw in a child's start or stop concerns that child alone.
 */
export class SupervisedChildren {
  readonly children = new Map<string, AnyActorRef>();
  phase: SupervisorPhase = 'running';
  /** Why it escalated. */
  error: unknown;
  private readonly scope: Scope;
  private readonly input: SupervisorInput;
  private history = noRestarts;
  /** When which child is to be started again. */
  private readonly due = new Map<string, number>();
  private startTimer: Deadline | undefined;
  /** Children that are still to be stopped, in that order. */
  private readonly condemned: string[] = [];
  /** Children whose start itself has failed, and whose death has not been heard yet. */
  private readonly stillborn = new Set<string>();
  private leaving: { readonly id: string; readonly timer: Deadline } | undefined;

  constructor(scope: Scope, input: SupervisorInput) {
    this.scope = scope;
    this.input = input;
  }

  /** Starts all children, in order. */
  start(): void {
    for (const spec of this.input.children) this.begin(spec);
  }

  /** A child has ended: by itself, of an error, or since it was asked to. */
  ended(id: string, how: Ended): void {
    const child = this.children.get(id);
    if (!child && !this.stillborn.delete(id)) return;
    this.children.delete(id);
    this.quietly(() => this.input.onGone?.(id));
    if (child) sweep(child);
    if (how.end === 'failed') this.quietly(() => this.input.onFault?.(id, how.error));
    const isAsked = this.leaving?.id === id;
    if (isAsked) this.letGo();
    // What is being stopped anyway needs no decision, whatever it dies of.
    else if (!this.isEnding && !this.due.has(id)) this.decide(id, how);
    this.proceed();
  }

  /** Stops all children in reverse order, then ends. */
  stop(): void {
    if (this.isEnding) return;
    this.windDown('stopping');
  }

  /** The time of a child that was asked to end is over. */
  shutdownDue(id: string): void {
    if (this.leaving?.id !== id) return;
    this.letGo();
    this.end(id);
    this.proceed();
  }

  /** Starts the children whose backoff is over. */
  restartDue(): void {
    this.startTimer = undefined;
    if (this.phase !== 'restarting' || this.leaving) return;
    const now = this.input.clock.now();
    const ready = this.input.children.filter(({ id }) => (this.due.get(id) ?? Infinity) <= now);
    for (const { id } of ready) this.due.delete(id);
    for (const spec of ready) this.begin(spec);
    this.proceed();
  }

  /** Stops everything here and now: the supervisor itself is being stopped. */
  kill(): void {
    this.letGo();
    this.forget();
    for (const id of [...this.children.keys()].toReversed()) this.end(id);
    this.phase = 'stopped';
  }

  private get isEnding(): boolean {
    return this.phase !== 'running' && this.phase !== 'restarting';
  }

  private decide(id: string, { end, error }: Ended): void {
    const { children, clock, random, restart: spec } = this.input;
    const { restart: type = 'permanent' } = children.find((child) => child.id === id) ?? {};
    const { history } = this;
    const decision = decideRestart({ spec, type, end, history, now: clock.now(), random });
    if ('history' in decision) this.history = decision.history;
    if (decision.kind === 'restart') this.restart(id, decision.at);
    if (decision.kind !== 'escalate') return;
    this.error = tooManyRestarts(id, error);
    this.windDown('escalating');
  }

  /** Condemns those that go with it, and has them started again together; a temporary one only goes. */
  private restart(died: string, at: number): void {
    const { children, restart } = this.input;
    const order = children.map(({ id }) => id);
    const concerned = restartSet(restart.strategy, order, died).filter(
      (id) => id === died || this.children.has(id) || this.due.has(id),
    );
    const dueAt = Math.max(at, ...concerned.map((id) => this.due.get(id) ?? at));
    for (const id of concerned) {
      const isTemporary = children.find((child) => child.id === id)?.restart === 'temporary';
      if (!isTemporary) this.due.set(id, dueAt);
    }
    this.condemn(concerned);
    this.phase = 'restarting';
  }

  private windDown(phase: 'stopping' | 'escalating'): void {
    this.forget();
    this.phase = phase;
    this.condemn([...this.children.keys()]);
    this.proceed();
  }

  /** Nothing is to be started any more. */
  private forget(): void {
    this.startTimer?.cancel();
    this.startTimer = undefined;
    this.due.clear();
    this.condemned.length = 0;
  }

  private condemn(ids: readonly string[]): void {
    for (const { id } of this.input.children.toReversed()) {
      const isNew = ids.includes(id) && this.leaving?.id !== id && !this.condemned.includes(id);
      if (isNew && this.children.has(id)) this.condemned.push(id);
    }
  }

  /** Takes the next step of what is under way. */
  private proceed(): void {
    while (!this.leaving && this.condemned.length > 0) this.dismiss(this.condemned.shift() ?? '');
    if (this.leaving) return;
    if (this.phase === 'stopping') this.phase = 'stopped';
    else if (this.phase === 'escalating') this.phase = 'escalated';
    else if (this.phase === 'restarting') this.arm();
  }

  private arm(): void {
    this.startTimer?.cancel();
    this.startTimer = undefined;
    if (this.due.size === 0) {
      this.phase = 'running';
      return;
    }
    // By a deadline even when it is due at once: what the old ones have still sent is heard before.
    this.startTimer = this.input.deadlines.at(Math.min(...this.due.values()), () =>
      this.scope.self.send({ type: 'restart.due' }),
    );
  }

  private dismiss(id: string): void {
    const child = this.children.get(id);
    const spec = this.input.children.find((known) => known.id === id);
    if (!child || !spec) return;
    if (!spec.ask) return this.end(id);
    const { clock, deadlines } = this.input;
    const at = clock.now() + (spec.shutdownMs ?? defaultShutdownMs);
    const timer = deadlines.at(at, () => this.scope.self.send({ type: 'shutdown.due', id }));
    this.leaving = { id, timer };
    this.quietly(() => child.send(spec.ask));
  }

  private letGo(): void {
    this.leaving?.timer.cancel();
    this.leaving = undefined;
  }

  private begin(spec: ChildSpec): void {
    const { id, logic, input } = spec;
    try {
      const parent = this.scope.self;
      const child = createActor(logic, { parent, id, src: id, input: input?.() } as never);
      this.children.set(id, child);
      this.input.onStarted?.(id, child);
      child.start();
    } catch (error) {
      this.end(id);
      this.stillborn.add(id);
      this.scope.self.send({ type: `xstate.error.actor.${id}`, actorId: id, error });
    }
  }

  private end(id: string): void {
    const child = this.children.get(id);
    if (!child) return;
    this.children.delete(id);
    this.quietly(() => this.input.onGone?.(id));
    this.quietly(() => this.scope.stopChild(child));
    sweep(child);
  }

  private quietly(step: () => void): void {
    try {
      step();
    } catch {
      // What a child or an observer throws when it is told something is no reason to spare the others.
    }
  }
}

function tooManyRestarts(id: string, error: unknown): TroupeError {
  return new TroupeError(
    'TRP_RESTARTS_EXHAUSTED',
    `"${id}" was restarted as often as allowed and has died again: ${messageOf(error)}`,
    { place: id, cause: error },
  );
}
