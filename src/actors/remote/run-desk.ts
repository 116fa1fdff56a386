import type { Bus, BusMessage, Subscription } from '../../bus/bus.ts';
import type { EventLog, Following, LogEntry } from '../../bus/event-log.ts';
import { attemptSubject } from '../../bus/worker-subjects.ts';
import type { Clock } from '../../core/clock.ts';
import { errorInfo, messageOf, TroupeError } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import type { Plain, PlainObject } from '../../core/plain.ts';
import type { PoolSpec } from '../../workflow/model.ts';
import type { Hosts } from './hosts.ts';
import { hostSubject } from './hosts.ts';
import { forgetLarge, unpacked } from './large-message.ts';
import { workProtocol } from './messages.ts';
import type { ClaimAnswer, HostMessage } from './messages.ts';
import type { Label } from './label.ts';
import type { PoolQueues } from './pool-queues.ts';
import { readHostMessage, readLabel } from './read-message.ts';
import type { RemoteAttempt, RemoteDesk } from './remote-attempt.ts';

/** How long a host that is asked may take to answer, in milliseconds. */
const answerMs = 5_000;

/** What a desk is made from. */
export interface RunDeskOptions {
  readonly run: string;
  readonly bus: Bus;
  readonly hosts: Hosts;
  readonly queues: PoolQueues;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Nothing of the run outlives this process: no queue, and no stored results. */
  readonly direct: boolean;
  readonly onUnserved?: ((run: string, pool: string) => void) | undefined;
}

/**
 * One run's side of its attempts on worker hosts.
 *
 * Invariants:
 * 1. `attempts` holds those that are not settled, by operation.
 * 2. What hosts left in the log is looked at in order, and a result counts for one attempt only.
 * 3. `inherited` names entries of work that no attempt of this process was at when they were read.
 */
export class RunDesk implements RemoteDesk {
  readonly clock: Clock;
  private readonly options: RunDeskOptions;
  private readonly attempts = new Map<string, RemoteAttempt>();
  private readonly abandoned = new Map<string, RemoteAttempt>();
  private readonly inherited = new Map<string, number[]>();
  private readonly large: PlainObject[] = [];
  private readonly listening: Subscription;
  private log: EventLog | undefined;
  private following: Following | undefined;
  private opening: Promise<void> | undefined;
  private closed = false;
  /** Attempts that are in a queue, where nobody has taken them yet: they go before what comes later. */
  private readonly queued = new Set<RemoteAttempt>();
  /** Attempts that are in no queue. */
  private readonly given = new WeakSet<RemoteAttempt>();
  /** Pools of which it was said that nobody serves them. */
  private readonly unserved = new Set<string>();

  constructor(options: RunDeskOptions) {
    const { bus, run } = options;
    this.options = options;
    this.clock = options.clock;
    this.listening = bus.subscribe(attemptSubject(bus.ns, run), (message) => this.heard(message));
  }

  ready(): Promise<void> {
    return this.options.direct ? Promise.resolve() : this.opened();
  }

  add(attempt: RemoteAttempt): void {
    this.attempts.set(attempt.label.operation, attempt);
  }

  get isStored(): boolean {
    return !this.options.direct;
  }

  get isIdle(): boolean {
    return this.attempts.size === 0;
  }

  look(now: number): void {
    for (const attempt of this.attempts.values()) attempt.look(now);
  }

  /** A host has told what it is at: what nobody waits for is ended there. */
  beat(host: string, labels: Iterable<Label>): void {
    for (const label of labels) {
      if (label.run !== this.options.run) continue;
      const attempt = this.attempts.get(label.operation);
      if (attempt?.accepts(label)) continue;
      if (!attempt && !this.abandoned.has(keyOf(label))) continue;
      this.abort(host, label, unwanted(label));
    }
  }

  async offer(attempt: RemoteAttempt): Promise<void> {
    const { direct, queues, bus } = this.options;
    if (direct && (await this.giveDirectly(attempt))) return;
    await this.opened();
    this.queued.add(attempt);
    await queues.add(bus, attempt, () => this.attempts.get(attempt.label.operation) === attempt);
  }

  async inherit(attempt: RemoteAttempt): Promise<boolean> {
    const { operation } = attempt.label;
    const entries = this.inherited.get(operation) ?? [];
    this.inherited.delete(operation);
    for (const seq of entries) await this.takeInherited(attempt, seq);
    if (!this.attempts.has(operation)) return true;
    return this.adopt(attempt);
  }

  abort(host: string, label: Label, error: TroupeError): void {
    const { bus, logger } = this.options;
    try {
      const order = { protocol: workProtocol, type: 'abort', ...label, error: errorInfo(error) };
      bus.publish(hostSubject(bus, host), order as unknown as PlainObject);
    } catch (thrown) {
      // Its next sign of life names the attempt, and it is told again.
      logger.debug('not told to end an attempt', { host, message: messageOf(thrown) });
    }
  }

  heardOf(host: string, operation: string): { readonly at: number; readonly isListed: boolean } {
    const known = this.options.hosts.get(host);
    return { at: known?.seenAt ?? 0, isListed: known?.attempts.has(operation) ?? false };
  }

  isServed({ name, lostAfterMs }: PoolSpec): boolean {
    const { hosts, logger, run, onUnserved } = this.options;
    if (hosts.serving(name, lostAfterMs).length > 0) {
      this.unserved.delete(name);
      return true;
    }
    if (this.unserved.has(name)) return false;
    this.unserved.add(name);
    logger.warn(`no worker host serves pool ${name}`, { run, pool: name });
    onUnserved?.(run, name);
    return false;
  }

  over(attempt: RemoteAttempt, isLate: boolean): void {
    const { label } = attempt;
    this.attempts.delete(label.operation);
    this.queued.delete(attempt);
    const host = attempt.holder === undefined ? undefined : this.options.hosts.get(attempt.holder);
    if (host && this.given.has(attempt)) host.free++;
    if (isLate) this.abandoned.set(keyOf(label), attempt);
  }

  /** Nothing is heard any more. @param isOver the run has ended, so that what hosts left goes too */
  async close(isOver: boolean): Promise<void> {
    this.closed = true;
    this.listening.unsubscribe();
    await this.opening?.catch(() => undefined);
    this.following?.stop();
    const { bus } = this.options;
    if (!isOver || !this.log || bus.state !== 'connected') return;
    for (const payload of this.large) await forgetLarge(bus, payload);
    await this.log.purge();
  }

  private opened(): Promise<void> {
    this.opening ??= this.open().catch((error: unknown) => {
      this.opening = undefined;
      throw error;
    });
    return this.opening;
  }

  private async open(): Promise<void> {
    const { bus, run } = this.options;
    this.log = await bus.log('res', run);
    const { log } = this;
    await new Promise<void>((caughtUp, reject) => {
      log
        .follow((entry) => this.left(entry), { caughtUp })
        .then((following) => {
          this.following = following;
          if (this.closed) following.stop();
        }, reject);
    });
  }

  /** Somebody has left something in the log. */
  private left({ seq, payload }: LogEntry): void {
    const label = readLabel(payload);
    if (!label || label.run !== this.options.run) return;
    const attempt = this.attempts.get(label.operation);
    if (attempt?.accepts(label)) return void this.takeEntry(attempt, payload);
    const past = this.abandoned.get(keyOf(label));
    if (past) return this.refuse(past, label, payload);
    if (attempt) return;
    const entries = this.inherited.get(label.operation);
    if (entries) entries.push(seq);
    else this.inherited.set(label.operation, [seq]);
  }

  /** A result of an attempt that is over is counted, once. */
  private refuse(past: RemoteAttempt, label: Label, payload: Plain): void {
    const { type } = payload as PlainObject;
    if (type !== 'result' && type !== 'blob') return;
    this.abandoned.delete(keyOf(label));
    past.parts.terms.late();
  }

  private async takeEntry(attempt: RemoteAttempt, payload: Plain): Promise<void> {
    const { bus, logger } = this.options;
    try {
      const whole = await unpacked(bus, payload);
      if (whole !== payload) this.large.push(payload as PlainObject);
      await attempt.take(readHostMessage(whole));
    } catch (error) {
      logger.warn('what a worker host left cannot be read', { message: messageOf(error) });
      const info = errorInfo(error);
      const { label, holder: host = '' } = attempt;
      await attempt.take({ protocol: workProtocol, host, type: 'failure', error: info, ...label });
    }
  }

  private async takeInherited(attempt: RemoteAttempt, seq: number): Promise<void> {
    const reading = this.log?.read({ from: seq });
    for await (const { seq: found, payload } of reading ?? []) {
      const label = readLabel(payload);
      if (found === seq && label && attempt.accepts(label)) await this.takeEntry(attempt, payload);
      return;
    }
  }

  /** A host that is still at it goes on for this owner, under a label that only this owner has given. */
  private async adopt(attempt: RemoteAttempt): Promise<boolean> {
    const { hosts, bus, logger } = this.options;
    const { operation } = attempt.label;
    const holder = await hosts.findHolder(operation, (label) => attempt.accepts(label));
    if (!holder) return false;
    const { host, attempts } = holder;
    const was = attempts.get(operation)?.attempt ?? 0;
    const order = { protocol: workProtocol, type: 'adopt', ...attempt.label, was };
    try {
      const goesOn = await bus.request(hostSubject(bus, host), order, { timeoutMs: answerMs });
      if (goesOn === true) attempt.hold(host);
      return goesOn === true || !this.attempts.has(attempt.label.operation);
    } catch (error) {
      logger.debug('a host did not answer', { host, message: messageOf(error) });
      return false;
    }
  }

  private async giveDirectly(attempt: RemoteAttempt): Promise<boolean> {
    const { hosts, bus, logger } = this.options;
    const { pool } = attempt.parts;
    if (this.queued.size > 0) return false;
    const candidates = hosts.serving(pool.name, pool.lostAfterMs).filter(({ free }) => free > 0);
    const host = candidates.reduce<(typeof candidates)[number] | undefined>(
      (best, candidate) => (best && best.free >= candidate.free ? best : candidate),
      undefined,
    );
    if (!host) return false;
    host.free--;
    // Before the answer: the host may be done before it is heard.
    attempt.hold(host.host);
    try {
      const assignment = attempt.assignment();
      const order = { protocol: workProtocol, type: 'begin', takesEnd: true, assignment };
      const taken = await bus.request(
        hostSubject(bus, host.host),
        order as unknown as PlainObject,
        {
          timeoutMs: answerMs,
        },
      );
      if (this.isBegun(attempt, taken)) return true;
    } catch (error) {
      logger.debug('a host did not begin', { host: host.host, message: messageOf(error) });
    }
    attempt.handedBack(host.host);
    return false;
  }

  /** Whether a host has it; or had it, and has answered with its end. */
  private isBegun(attempt: RemoteAttempt, answer: Plain): boolean {
    if (answer === false) return false;
    const end = answer === true ? undefined : readHostMessage(answer);
    this.given.add(attempt);
    if (end && attempt.accepts(end)) void attempt.take(end);
    return true;
  }

  private claimed(said: HostMessage): ClaimAnswer {
    const attempt = this.attempts.get(said.operation);
    const answer = attempt?.claim(said.host, said) ?? { go: false };
    if (attempt && answer.go) this.queued.delete(attempt);
    return answer;
  }

  /** It is offered again; the host that had it acknowledges what it came with. */
  private back(attempt: RemoteAttempt, host: string): boolean {
    const isBack = attempt.handedBack(host);
    this.given.delete(attempt);
    if (isBack) this.offer(attempt).catch(attempt.cannotBeSent);
    return isBack;
  }

  private heard(message: BusMessage): void {
    const { bus } = this.options;
    const { payload } = message;
    const isLarge = (payload as PlainObject | null)?.['type'] === 'blob';
    if (!isLarge) return this.read(message, payload);
    unpacked(bus, payload).then(
      (whole) => {
        void forgetLarge(bus, payload);
        this.read(message, whole);
      },
      (error: unknown) => message.respond({ error: errorInfo(error) as unknown as PlainObject }),
    );
  }

  private read(message: BusMessage, payload: Plain): void {
    try {
      this.answer(readHostMessage(payload), message);
    } catch (error) {
      message.respond({ error: errorInfo(error) as unknown as PlainObject });
    }
  }

  private answer(said: HostMessage, message: BusMessage): void {
    const attempt = this.attempts.get(said.operation);
    if (said.type === 'claim') return message.respond(this.claimed(said) as unknown as PlainObject);
    const isOurs = attempt?.accepts(said) ?? false;
    if (said.type === 'handed_back')
      return message.respond(attempt && isOurs ? this.back(attempt, said.host) : false);
    if (!attempt || !isOurs) {
      const past = this.abandoned.get(keyOf(said));
      if (past) this.refuse(past, said, message.payload);
      return message.respond(false);
    }
    void attempt.take(said).then(() => message.respond(true));
  }
}

function keyOf({ operation, attempt, epoch }: Label): string {
  return `${operation}/${attempt}/${epoch}`;
}

function unwanted({ task }: Label): TroupeError {
  return new TroupeError('TRP_ATTEMPT_CANCELLED', 'Nobody waits for this attempt any more.', {
    place: task,
    errorClass: 'cancelled',
  });
}
