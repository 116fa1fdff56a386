import { attemptSubject } from '../../bus/subjects.js';
import { errorInfo, messageOf, TroupeError } from '../../core/errors.js';
import { toPlain } from '../../core/plain.js';
import { hostSubject } from './hosts.js';
import { forgetLarge, unpacked } from './large-message.js';
import { answerMs, workProtocol } from './messages.js';
import { readHostMessage, readLabel } from './read-message.js';
/**
 * One run's side of its attempts on worker hosts.
 *
 * Invariants:
 * 1. `attempts` holds those that are not settled, by operation.
 * 2. What hosts left in the log is looked at in order, and a result counts for one attempt only.
 * 3. `inherited` names entries of work that no attempt of this process was at when they were read.
 */
export class RunDesk {
  clock;
  options;
  attempts = new Map();
  abandoned = new Map();
  inherited = new Map();
  large = [];
  listening;
  log;
  following;
  opening;
  closed = false;
  /** Pools of which it was said that nobody serves them. */
  unserved = new Set();
  constructor(options) {
    const { bus, run } = options;
    this.options = options;
    this.clock = options.clock;
    this.listening = bus.subscribe(attemptSubject(bus.ns, run), (message) => this.heard(message));
  }
  ready() {
    if (this.options.direct) return Promise.resolve();
    this.opening ??= this.open().catch((error) => {
      this.opening = undefined;
      throw error;
    });
    return this.opening;
  }
  add(attempt) {
    this.attempts.set(attempt.label.operation, attempt);
  }
  get isStored() {
    return !this.options.direct;
  }
  get isIdle() {
    return this.attempts.size === 0;
  }
  look(now) {
    for (const attempt of this.attempts.values()) attempt.look(now);
  }
  /** A host has told what it is at: what nobody waits for is ended there. */
  beat(host, labels) {
    for (const label of labels) {
      if (label.run !== this.options.run) continue;
      const attempt = this.attempts.get(label.operation);
      if (attempt?.accepts(label)) continue;
      if (!attempt && !this.abandoned.has(keyOf(label))) continue;
      this.abort(host, label, unwanted(label));
    }
  }
  async offer(attempt) {
    const { direct, queues, bus } = this.options;
    if (direct && (await this.giveDirectly(attempt))) return;
    await queues.add(bus, attempt, () => this.attempts.get(attempt.label.operation) === attempt);
  }
  async inherit(attempt) {
    const { operation } = attempt.label;
    const entries = this.inherited.get(operation) ?? [];
    this.inherited.delete(operation);
    for (const seq of entries) await this.takeInherited(attempt, seq);
    if (!this.attempts.has(operation)) return true;
    return this.adopt(attempt);
  }
  abort(host, label, error) {
    const { bus, logger } = this.options;
    try {
      const order = { protocol: workProtocol, type: 'abort', ...label, error: errorInfo(error) };
      bus.publish(hostSubject(bus, host), toPlain(order));
    } catch (thrown) {
      // Its next sign of life names the attempt, and it is told again.
      logger.debug('not told to end an attempt', { host, message: messageOf(thrown) });
    }
  }
  heardOf(host, operation) {
    const known = this.options.hosts.get(host);
    return { at: known?.seenAt ?? 0, isListed: known?.attempts.has(operation) ?? false };
  }
  isServed({ name, lostAfterMs }) {
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
  over(attempt, isLate) {
    const { label } = attempt;
    this.attempts.delete(label.operation);
    if (isLate) this.abandoned.set(keyOf(label), attempt);
  }
  /** Nothing is heard any more. @param isOver the run has ended, so that what hosts left goes too */
  async close(isOver) {
    this.closed = true;
    this.listening.unsubscribe();
    await this.opening?.catch(() => undefined);
    this.following?.stop();
    const { bus } = this.options;
    if (!isOver || !this.log || bus.state !== 'connected') return;
    for (const payload of this.large) await forgetLarge(bus, payload);
    await this.log.purge();
  }
  async open() {
    const { bus, run } = this.options;
    this.log = await bus.log('res', run);
    const { log } = this;
    await new Promise((caughtUp, reject) => {
      log
        .follow((entry) => this.left(entry), { caughtUp })
        .then((following) => {
          this.following = following;
          if (this.closed) following.stop();
        }, reject);
    });
  }
  /** Somebody has left something in the log. */
  left({ seq, payload }) {
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
  refuse(past, label, payload) {
    const { type } = payload;
    if (type !== 'result' && type !== 'blob') return;
    this.abandoned.delete(keyOf(label));
    past.parts.terms.late();
  }
  async takeEntry(attempt, payload) {
    const { bus, logger } = this.options;
    try {
      const whole = await unpacked(bus, payload);
      if (whole !== payload) this.large.push(payload);
      await attempt.take(readHostMessage(whole));
    } catch (error) {
      logger.warn('what a worker host left cannot be read', { message: messageOf(error) });
      const info = errorInfo(error);
      const { label, holder: host = '' } = attempt;
      await attempt.take({ protocol: workProtocol, host, type: 'failure', error: info, ...label });
    }
  }
  async takeInherited(attempt, seq) {
    const reading = this.log?.read({ from: seq });
    for await (const { seq: found, payload } of reading ?? []) {
      const label = readLabel(payload);
      if (found === seq && label && attempt.accepts(label)) await this.takeEntry(attempt, payload);
      return;
    }
  }
  /** A host that is still at it goes on for this owner, under a label that only this owner has given. */
  async adopt(attempt) {
    const { hosts, bus, logger } = this.options;
    const { unsettled = 0 } = attempt.parts.request;
    await hosts.ask();
    const host = hosts.holderOf(attempt.label.operation, unsettled)?.host;
    if (host === undefined) return false;
    const order = { protocol: workProtocol, type: 'adopt', ...attempt.label, was: unsettled };
    try {
      const goesOn = await bus.request(hostSubject(bus, host), order, { timeoutMs: answerMs });
      if (goesOn === true) attempt.hold(host);
      return goesOn === true || !this.attempts.has(attempt.label.operation);
    } catch (error) {
      logger.debug('a host did not answer', { host, message: messageOf(error) });
      return false;
    }
  }
  async giveDirectly(attempt) {
    const { hosts, bus, logger } = this.options;
    const { pool } = attempt.parts;
    const candidates = hosts.serving(pool.name, pool.lostAfterMs).filter(({ free }) => free > 0);
    const host = candidates.reduce(
      (best, candidate) => (best && best.free >= candidate.free ? best : candidate),
      undefined,
    );
    if (!host) return false;
    host.free--;
    // Before the answer: the host may be done before it is heard.
    attempt.hold(host.host);
    try {
      const order = { protocol: workProtocol, type: 'begin', assignment: attempt.assignment() };
      const taken = await bus.request(hostSubject(bus, host.host), toPlain(order), {
        timeoutMs: answerMs,
      });
      if (taken === true) return true;
    } catch (error) {
      logger.debug('a host did not begin', { host: host.host, message: messageOf(error) });
    }
    attempt.handedBack(host.host);
    return false;
  }
  heard(message) {
    try {
      const said = readHostMessage(message.payload);
      this.answer(said, message);
    } catch (error) {
      message.respond({ error: errorInfo(error) });
    }
  }
  answer(said, message) {
    const attempt = this.attempts.get(said.operation);
    if (said.type === 'claim')
      return message.respond(toPlain(attempt?.claim(said.host, said) ?? { go: false }));
    const isOurs = attempt?.accepts(said) ?? false;
    if (said.type === 'handed_back')
      return message.respond(isOurs && attempt ? attempt.handedBack(said.host) : false);
    if (!attempt || !isOurs) {
      const past = this.abandoned.get(keyOf(said));
      if (past) this.refuse(past, said, message.payload);
      return message.respond(false);
    }
    void attempt.take(said).then(() => message.respond(true));
  }
}
function keyOf({ operation, attempt, epoch }) {
  return `${operation}/${attempt}/${epoch}`;
}
function unwanted({ task }) {
  return new TroupeError('TRP_ATTEMPT_CANCELLED', 'Nobody waits for this attempt any more.', {
    place: task,
    errorClass: 'cancelled',
  });
}
