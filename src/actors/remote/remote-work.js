import { messageOf } from '../../core/errors.js';
import { heartbeatMs, Hosts } from './hosts.js';
import { PoolQueues } from './pool-queues.js';
import { RemoteAttempt } from './remote-attempt.js';
import { RunDesk } from './run-desk.js';
/**
 * Attempts of this process on worker hosts: a behaviour that carries out nothing itself.
 *
 * Invariants:
 * 1. A run has one desk from its first remote attempt until it is over in this process.
 * 2. The hosts of a bus are followed by one subscription, from the first such attempt on.
 * 3. The timer runs exactly while some attempt is unsettled.
 */
export class RemoteWork {
  options;
  queues;
  hosts = new Map();
  desks = new Map();
  timer;
  dueAt;
  constructor(options) {
    this.options = options;
    this.queues = new PoolQueues(options.clock);
  }
  async execute(request, port) {
    const { remote: terms } = port;
    const { pool } = request.agent;
    if (!terms || !pool) throw new Error('an attempt without a pool was sent elsewhere');
    const desk = this.deskOf(request.run);
    const attempt = new RemoteAttempt({ request, port, terms, pool, desk });
    desk.add(attempt);
    this.arm();
    return attempt.carryOut();
  }
  /** This process has let go of a run. @param isOver it has ended */
  async runOver(run, isOver) {
    const desk = this.desks.get(run);
    if (!desk) return;
    this.desks.delete(run);
    await desk.close(isOver).catch((error) => {
      const message = messageOf(error);
      this.options.logger.warn('results of a run that has ended stay on the bus', { run, message });
    });
  }
  async close() {
    this.disarm();
    for (const hosts of this.hosts.values()) hosts.close();
    await Promise.all([...this.desks.keys()].map((run) => this.runOver(run, false)));
  }
  deskOf(run) {
    const known = this.desks.get(run);
    if (known) return known;
    const { clock, logger, direct, onUnserved } = this.options;
    const bus = this.options.busOf(run);
    const { queues } = this;
    const hosts = this.hostsOf(bus);
    const desk = new RunDesk({ run, bus, hosts, queues, clock, logger, direct, onUnserved });
    this.desks.set(run, desk);
    return desk;
  }
  hostsOf(bus) {
    const known = this.hosts.get(bus);
    if (known) return known;
    const { clock } = this.options;
    const hosts = new Hosts({
      bus,
      clock,
      onBeat: ({ host, attempts }) => {
        for (const desk of this.desks.values()) desk.beat(host, attempts.values());
      },
    });
    this.hosts.set(bus, hosts);
    return hosts;
  }
  arm() {
    if (this.dueAt !== undefined) return;
    const { clock } = this.options;
    this.dueAt = clock.monotonic() + heartbeatMs;
    this.timer = clock.setTimeout(() => this.look(), heartbeatMs);
  }
  disarm() {
    this.options.clock.clearTimeout(this.timer);
    this.dueAt = undefined;
  }
  look() {
    const { clock } = this.options;
    const now = clock.monotonic();
    const overslept = now - (this.dueAt ?? now);
    this.dueAt = undefined;
    // What came meanwhile has not been read yet.
    if (overslept > heartbeatMs) for (const hosts of this.hosts.values()) hosts.forgive();
    else for (const desk of this.desks.values()) desk.look(now);
    if ([...this.desks.values()].some((desk) => !desk.isIdle)) this.arm();
  }
}
