import type { Bus } from '../../bus/bus.ts';
import type { Clock, TimerHandle } from '../../core/clock.ts';
import { messageOf } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import type {
  AttemptPort,
  AttemptRequest,
  AttemptResult,
  Behaviour,
} from '../behaviours/behaviour.ts';
import { heartbeatMs, Hosts } from './hosts.ts';
import { PoolQueues } from './pool-queues.ts';
import { RemoteAttempt } from './remote-attempt.ts';
import { RunDesk } from './run-desk.ts';

/** What having work done elsewhere needs. */
export interface RemoteWorkOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** The bus of a run. */
  busOf(run: string): Bus;
  /** Runs do not outlive this process, so that nothing needs to be stored on the way. */
  readonly direct: boolean;
  /** Nobody serves a pool that a run needs; told once, and again after somebody did. */
  readonly onUnserved?: ((run: string, pool: string) => void) | undefined;
}

/**
 * Attempts of this process on worker hosts: a behaviour that carries out nothing itself.
 *
 * Invariants:
 * 1. A run has one desk from its first remote attempt until it is over in this process.
 * 2. The hosts of a bus are followed by one subscription, from the first such attempt on.
 * 3. The timer runs exactly while some attempt is unsettled.
 */
export class RemoteWork implements Behaviour {
  private readonly options: RemoteWorkOptions;
  private readonly queues: PoolQueues;
  private readonly hosts = new Map<Bus, Hosts>();
  private readonly desks = new Map<string, RunDesk>();
  private timer: TimerHandle;
  private dueAt: number | undefined;

  constructor(options: RemoteWorkOptions) {
    this.options = options;
    this.queues = new PoolQueues(options.clock);
  }

  async execute(request: AttemptRequest, port: AttemptPort): Promise<AttemptResult> {
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
  async runOver(run: string, isOver: boolean): Promise<void> {
    const desk = this.desks.get(run);
    if (!desk) return;
    this.desks.delete(run);
    await desk.close(isOver).catch((error: unknown) => {
      const message = messageOf(error);
      this.options.logger.warn('results of a run that has ended stay on the bus', { run, message });
    });
  }

  async close(): Promise<void> {
    this.disarm();
    for (const hosts of this.hosts.values()) hosts.close();
    await Promise.all([...this.desks.keys()].map((run) => this.runOver(run, false)));
  }

  private deskOf(run: string): RunDesk {
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

  private hostsOf(bus: Bus): Hosts {
    const known = this.hosts.get(bus);
    if (known) return known;
    const { clock } = this.options;
    const hosts: Hosts = new Hosts({
      bus,
      clock,
      onBeat: ({ host, attempts }) => {
        for (const desk of this.desks.values()) desk.beat(host, attempts.values());
      },
    });
    this.hosts.set(bus, hosts);
    return hosts;
  }

  private arm(): void {
    if (this.dueAt !== undefined) return;
    const { clock } = this.options;
    this.dueAt = clock.monotonic() + heartbeatMs;
    this.timer = clock.setTimeout(() => this.look(), heartbeatMs);
  }

  private disarm(): void {
    this.options.clock.clearTimeout(this.timer);
    this.dueAt = undefined;
  }

  private look(): void {
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
