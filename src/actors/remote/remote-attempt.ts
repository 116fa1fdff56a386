import { isAbsolute, relative } from 'node:path';
import type { Clock } from '../../core/clock.ts';
import { errorInfo, TroupeError } from '../../core/errors.ts';
import type { Plain, PlainObject } from '../../core/plain.ts';
import { AbortWatch } from '../behaviours/abort-watch.ts';
import { attemptError } from '../behaviours/attempt-error.ts';
import type {
  AttemptPort,
  AttemptRequest,
  AttemptResult,
  RemoteTerms,
  Usage,
} from '../behaviours/behaviour.ts';
import { copyMemory } from '../behaviours/memory-copy.ts';
import type { PoolSpec } from '../../workflow/model.ts';
import type { WorkLevel } from '../../bus/work-queue.ts';
import { heartbeatMs } from './hosts.ts';
import { isAway } from './is-away.ts';
import { workProtocol } from './messages.ts';
import { isSameTry } from './label.ts';
import type { Assignment, ClaimAnswer, HostMessage } from './messages.ts';
import type { Label } from './label.ts';

/** What a host has beyond the agent's kill time to say that an aborted attempt has ended, in milliseconds. */
const graceMs = 2_000;

/** Looks in which a host that lives did not name an attempt that it took: then it has forgotten it. */
const mostUnlisted = 4;

/** What an attempt on another host needs of those around it. */
export interface RemoteDesk {
  readonly clock: Clock;
  /** What hosts leave is found by whoever owns the run next. */
  readonly isStored: boolean;
  /** Resolves when everything that hosts have left for the run has been read. */
  ready(): Promise<void>;
  /** Gives it to whoever comes first; resolves when it is stored. */
  offer(attempt: RemoteAttempt): Promise<void>;
  /** Takes over an attempt whose end nobody knows. False: neither a result nor a host that is at it was found. */
  inherit(attempt: RemoteAttempt): Promise<boolean>;
  /** Tells a host to end it. */
  abort(host: string, label: Label, error: TroupeError): void;
  /** When a host was last heard of, and whether it named this work. */
  heardOf(host: string, operation: string): { readonly at: number; readonly isListed: boolean };
  /** Whether some host serves the pool. */
  isServed(pool: PoolSpec): boolean;
  /** It is over; `isLate`: a result that comes now is one too many. */
  over(attempt: RemoteAttempt, isLate: boolean): void;
}

/** How it is made. */
export interface RemoteAttemptParts {
  readonly request: AttemptRequest;
  readonly port: AttemptPort;
  readonly terms: RemoteTerms;
  readonly pool: PoolSpec;
  readonly desk: RemoteDesk;
}

/**
 * The supervisor's side of one attempt that a worker host carries out.
 *
 * Invariants:
 * 1. At most one host holds it at a time; only a host that holds it may begin, and none once it is settled.
 * 2. It settles once; the result of another try at the same work is taken only from those that it inherits.
 * 3. Its timeout runs exactly while a host holds it.
 */
export class RemoteAttempt {
  readonly label: Label;
  readonly parts: RemoteAttemptParts;
  holder: string | undefined;
  /** Times that a host gave it back. */
  handBacks = 0;
  private readonly steps = new Map<string, Plain>();
  private heldSince = 0;
  private waitingSince: number;
  private unlisted = 0;
  private spent: Required<Usage> = { input_tokens: 0, output_tokens: 0, cost: 0 };
  private settled = false;
  private resolve: (result: AttemptResult) => void = () => undefined;
  private reject: (reason: unknown) => void = () => undefined;

  constructor(parts: RemoteAttemptParts) {
    const { request, terms, desk } = parts;
    const { run, task, operation, attempt } = request;
    this.parts = parts;
    this.label = { run, task, operation, attempt, epoch: terms.epoch };
    this.waitingSince = desk.clock.monotonic();
  }

  /** Carries it out; rejects as behaviours do. */
  async carryOut(): Promise<AttemptResult> {
    const { request, port, terms, desk } = this.parts;
    const { clock } = desk;
    const outcome = new Promise<AttemptResult>((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    const killAfterMs = request.agent.limits.killAfterMs + graceMs;
    const steps = {
      ask: (reason: unknown): void => this.abort(reason),
      force: (reason: unknown): void => this.fail(reason),
    };
    terms.waits(true);
    const watch = new AbortWatch(port, steps, { clock, killAfterMs });
    this.begin().catch(this.cannotBeSent);
    try {
      return await outcome;
    } catch (thrown) {
      throw watch.aborted ? watch.reason : attemptError(thrown, clock.now());
    } finally {
      watch.stop();
    }
  }

  /** No host can be given it; another attempt may reach one. */
  readonly cannotBeSent = (error: unknown): void => this.fail(unsent(error));

  /** What goes over the bus. */
  assignment(): Assignment {
    const { request, terms, pool } = this.parts;
    const { memory: _view, baseDir: _folder, workspace: _none, ...rest } = request;
    const { providers, secrets = [] } = terms;
    return {
      protocol: workProtocol,
      type: 'assignment',
      ...this.label,
      pool: pool.name,
      level: levelOf(terms.priority),
      request: {
        ...rest,
        agent: { ...rest.agent, module: portable(rest.agent.module, request.baseDir) },
        steps: { ...rest.steps, ...Object.fromEntries(this.steps) },
      },
      memory: copyMemory(request),
      ...(providers && { providers }),
      ...(secrets.length > 0 && { secrets }),
    };
  }

  /** A host asks for it. */
  claim(host: string, label: Label): ClaimAnswer {
    const isFree = this.holder === undefined || this.holder === host;
    if (this.settled || !isSameTry(label, this.label) || !isFree) return { go: false };
    this.hold(host);
    return { go: true, steps: Object.fromEntries(this.steps) };
  }

  /** A host has it now. */
  hold(host: string): void {
    if (this.settled) return;
    const wasWaiting = this.holder === undefined;
    this.holder = host;
    this.unlisted = 0;
    this.heldSince = this.parts.desk.clock.monotonic();
    if (wasWaiting) this.parts.terms.waits(false);
  }

  /** A host gives it back unfinished. */
  handedBack(host: string): boolean {
    if (this.settled || this.holder !== host) return false;
    this.holder = undefined;
    this.handBacks++;
    this.waitingSince = this.parts.desk.clock.monotonic();
    this.parts.terms.waits(true);
    return true;
  }

  /** Whether a message about this work is about this try, or one that it inherits. */
  accepts(label: Label): boolean {
    if (isSameTry(label, this.label)) return true;
    const { unsettled = Infinity, attempt } = this.parts.request;
    const isPast = label.attempt >= unsettled && label.attempt < attempt;
    return isPast && label.epoch < this.label.epoch;
  }

  /** Something that a host says of it; resolves when it has been taken in. */
  async take(message: HostMessage): Promise<void> {
    const { port } = this.parts;
    if (this.settled) return;
    if ('spent' in message && message.spent) this.countSpent(message.spent);
    if (message.type === 'result') {
      const { output, changes } = message;
      this.settle(() => this.resolve({ output, changes }));
    } else if (message.type === 'failure') this.settle(() => this.reject(foreign(message.error)));
    else if (message.type === 'progress') port.progress(message.progress);
    else if (message.type === 'step') await this.step(message.name, message.value);
  }

  /** Looks whether anybody is still at it. */
  look(now: number): void {
    if (this.settled) return;
    if (this.holder === undefined) return this.lookForHosts(now);
    const { desk, pool } = this.parts;
    const { at, isListed } = desk.heardOf(this.holder, this.label.operation);
    if (now - Math.max(at, this.heldSince) > pool.lostAfterMs)
      return this.fail(this.lost('was not heard of', pool.lostAfterMs));
    this.unlisted = isListed || at < this.heldSince + heartbeatMs ? 0 : this.unlisted + 1;
    if (this.unlisted >= mostUnlisted) this.fail(this.lost('lives and has forgotten it', 0));
  }

  private async begin(): Promise<void> {
    const { desk, request } = this.parts;
    await this.opened();
    if (this.settled) return;
    if (request.unsettled !== undefined && (await desk.inherit(this))) return;
    if (!this.settled) await this.offer();
  }

  private async offer(): Promise<void> {
    const { terms, desk } = this.parts;
    if (terms.saysSecret?.(this.assignment() as unknown as Plain)) return this.fail(this.secret());
    await desk.offer(this);
  }

  private secret(): TroupeError {
    const { task } = this.label;
    const message = `Task ${task} would take a secret value to a worker host over the bus.`;
    const hint =
      'Declare a variable of the environment secret instead, set it on the hosts, and have the task read it there.';
    return new TroupeError('TRP_SECRET_ON_BUS', message, {
      place: task,
      hint,
      errorClass: 'permanent',
    });
  }

  /** A bus that is away is waited for. */
  private async opened(): Promise<void> {
    const { desk } = this.parts;
    while (!this.settled) {
      try {
        return await desk.ready();
      } catch (error) {
        if (!isAway(error)) throw error;
        await new Promise<void>((resolve) => desk.clock.setTimeout(resolve, heartbeatMs));
      }
    }
  }

  private async step(name: string, value: Plain): Promise<void> {
    if (this.steps.has(name)) return;
    this.steps.set(name, value);
    await this.parts.port.stepDone(name, value);
  }

  private lookForHosts(now: number): void {
    const { desk, pool } = this.parts;
    if (desk.isServed(pool)) {
      this.waitingSince = now;
      return;
    }
    if (now - this.waitingSince < pool.waitMs) return;
    const seconds = Math.round(pool.waitMs / 1000);
    const message = `No worker host has served pool ${pool.name} for ${seconds} s.`;
    this.fail(
      new TroupeError('TRP_POOL_UNSERVED', message, {
        place: this.label.task,
        errorClass: 'transient',
      }),
    );
  }

  /** Nobody has it yet: it is over at once. Else its host is asked, and has its kill time to answer. */
  private abort(reason: unknown): void {
    if (this.parts.terms.isLeaving && this.parts.desk.isStored)
      return this.settle(() => this.reject(reason));
    if (this.holder === undefined) return this.fail(reason);
    const error = attemptError(reason, this.parts.desk.clock.now());
    this.parts.desk.abort(this.holder, this.label, error);
  }

  private countSpent(total: Usage): void {
    const { input_tokens: input = 0, output_tokens: output = 0, cost = 0 } = total;
    const before = this.spent;
    this.spent = { input_tokens: input, output_tokens: output, cost };
    this.parts.port.calls?.spent({
      input_tokens: Math.max(0, input - before.input_tokens),
      output_tokens: Math.max(0, output - before.output_tokens),
      cost: Math.max(0, cost - before.cost),
    });
  }

  private fail(reason: unknown): void {
    const { holder } = this;
    if (this.settled) return;
    // Whoever has it is told that nobody waits: a host that only fell silent ends it when it wakes.
    if (holder !== undefined)
      this.parts.desk.abort(holder, this.label, attemptError(reason, this.parts.desk.clock.now()));
    this.settle(() => this.reject(reason), true);
  }

  private settle(tell: () => void, isLate = false): void {
    if (this.settled) return;
    this.settled = true;
    if (this.holder === undefined) this.parts.terms.waits(false);
    this.parts.desk.over(this, isLate);
    tell();
  }

  private lost(how: string, afterMs: number): TroupeError {
    const forText = afterMs > 0 ? ` for ${Math.round(afterMs / 1000)} s` : '';
    const message = `Worker host ${this.holder ?? ''} of task ${this.label.task} ${how}${forText}.`;
    return new TroupeError('TRP_ATTEMPT_LOST', message, {
      place: this.label.task,
      errorClass: 'lost',
    });
  }
}

/** p0 holds priorities 9 and 10, p1 7 and 8, p2 4 to 6, p3 1 to 3. */
function levelOf(priority: number): WorkLevel {
  if (priority >= 9) return 'p0';
  if (priority >= 7) return 'p1';
  return priority >= 4 ? 'p2' : 'p3';
}

/** A module as every host finds it: by its path from the folder of the workflow. */
function portable(module: string | undefined, baseDir: string): string | undefined {
  if (module === undefined || !isAbsolute(module)) return module;
  return `./${relative(baseDir, module).replaceAll('\\', '/')}`;
}

/** What keeps an attempt from reaching a host may be gone at the next try. */
function unsent(error: unknown): TroupeError {
  const { code, message, place, hint } = attemptError(error);
  const where = place === undefined ? {} : { place };
  return new TroupeError(code, message, { ...where, hint, cause: error, errorClass: 'transient' });
}

/** An error of a host, as one of this process. */
function foreign(error: object): TroupeError {
  return attemptError(errorInfo(attemptError(error)) as unknown as PlainObject);
}
