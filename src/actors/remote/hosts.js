import { ctlSubject, heartbeatSubject, subjectOf } from '../../bus/subjects.js';
import { workProtocol } from './messages.js';
import { readHeartbeat } from './read-message.js';
/** A worker host tells so often that it lives, in milliseconds. */
export const heartbeatMs = 2_000;
/** What a question to all hosts may take: their answers come within a round trip. In milliseconds. */
const askMs = 500;
/** The control target that every worker host listens to, beside its own. */
export const allHosts = 'workers';
/**
 * The worker hosts of one bus, by their signs of life. Silence is judged by this process's own monotonic clock.
 *
 * Invariant: after `close` nothing is heard any more.
 */
export class Hosts {
  options;
  known = new Map();
  listening;
  constructor(options) {
    this.options = options;
    const { bus } = options;
    const pattern = heartbeatSubject(bus.ns, 'x').replace(/x$/, '*');
    this.listening = bus.subscribe(pattern, ({ payload }) => this.heard(payload));
    this.askAll();
  }
  get(host) {
    return this.known.get(host);
  }
  /** Hosts that have told of themselves within so long, oldest acquaintance first. */
  living(withinMs) {
    const since = this.options.clock.monotonic() - withinMs;
    return [...this.known.values()].filter(({ seenAt }) => seenAt >= since);
  }
  /** Those of them that serve a pool. */
  serving(pool, withinMs) {
    return this.living(withinMs).filter(({ pools, draining }) => !draining && pools.includes(pool));
  }
  /** Who carries an attempt at this work. */
  holderOf(operation, attempt) {
    return [...this.known.values()].find(
      ({ attempts }) => attempts.get(operation)?.attempt === attempt,
    );
  }
  /** Resolves when every host that can answer has told of itself. */
  async ask() {
    this.askAll();
    await new Promise((resolve) => this.options.clock.setTimeout(resolve, askMs));
  }
  /** This process itself has slept: silence until now proves nothing. */
  forgive() {
    const seenAt = this.options.clock.monotonic();
    for (const [id, host] of this.known) this.known.set(id, { ...host, seenAt });
  }
  close() {
    this.listening.unsubscribe();
  }
  askAll() {
    const { bus } = this.options;
    if (bus.state === 'closed') return;
    bus.publish(ctlSubject(bus.ns, allHosts), { protocol: workProtocol, type: 'report' });
  }
  heard(payload) {
    let beat;
    try {
      beat = readHeartbeat(payload);
    } catch {
      // Other nodes tell of themselves as well, and newer hosts in ways that are not for this version.
      return;
    }
    const attempts = new Map(beat.attempts.map((label) => [label.operation, label]));
    const host = { ...beat, attempts, seenAt: this.options.clock.monotonic() };
    this.known.set(beat.host, host);
    this.options.onBeat?.(host);
  }
}
/** Asks who serves which pools right now; for people. @param waitMs for answers, default {@link askMs} */
export async function hostsOn(bus, clock) {
  const hosts = new Hosts({ bus, clock });
  try {
    await hosts.ask();
    return hosts.living(heartbeatMs);
  } finally {
    hosts.close();
  }
}
/** Where orders to one host go. */
export function hostSubject(bus, host) {
  return subjectOf(bus.ns, 'ctl', host);
}
