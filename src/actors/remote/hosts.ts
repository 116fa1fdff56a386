import type { Bus, Subscription } from '../../bus/bus.ts';
import { ctlSubject, subjectOf } from '../../bus/subjects.ts';
import { heartbeatSubject } from '../../bus/worker-subjects.ts';
import type { Clock } from '../../core/clock.ts';
import type { Plain } from '../../core/plain.ts';
import type { Heartbeat } from './messages.ts';
import type { Label } from './label.ts';
import { workProtocol } from './messages.ts';
import { readHeartbeat } from './read-message.ts';

/** A worker host tells so often that it lives, in milliseconds. */
export const heartbeatMs = 2_000;

/** What a question to all hosts may take: their answers come within a round trip. In milliseconds. */
const askMs = 500;

/** Between two looks for who has answered, in milliseconds. */
const lookMs = 50;

/** The control target that every worker host listens to, beside its own. */
export const allHosts = 'workers';

/** A worker host as it was last heard of. */
export interface KnownHost extends Omit<Heartbeat, 'attempts'> {
  /** By the monotonic clock of this process. */
  readonly seenAt: number;
  readonly attempts: ReadonlyMap<string, Label>;
  /** Slots that were free then, less what was given to it since. */
  free: number;
}

/** What following the hosts of a bus needs. */
export interface HostsOptions {
  readonly bus: Bus;
  readonly clock: Clock;
  /** A host has told of itself. */
  readonly onBeat?: (host: KnownHost) => void;
}

/**
 * The worker hosts of one bus, by their signs of life. Silence is judged by this process's own monotonic clock.
 *
 * Invariant: after `close` nothing is heard any more.
 */
export class Hosts {
  private readonly options: HostsOptions;
  private readonly known = new Map<string, KnownHost>();
  private readonly listening: Subscription;

  constructor(options: HostsOptions) {
    this.options = options;
    const { bus } = options;
    const pattern = heartbeatSubject(bus.ns, 'x').replace(/x$/, '*');
    this.listening = bus.subscribe(pattern, ({ payload }) => this.heard(payload));
    this.askAll();
  }

  get(host: string): KnownHost | undefined {
    return this.known.get(host);
  }

  /** Hosts that have told of themselves within so long, oldest acquaintance first. */
  living(withinMs: number): readonly KnownHost[] {
    const since = this.options.clock.monotonic() - withinMs;
    return [...this.known.values()].filter(({ seenAt }) => seenAt >= since);
  }

  /** Those of them that serve a pool. */
  serving(pool: string, withinMs: number): readonly KnownHost[] {
    return this.living(withinMs).filter(({ pools, draining }) => !draining && pools.includes(pool));
  }

  private holderOf(operation: string, isWanted: (label: Label) => boolean): KnownHost | undefined {
    return [...this.known.values()].find(({ attempts }) => {
      const label = attempts.get(operation);
      return label && isWanted(label);
    });
  }

  /** Resolves when every host that can answer has told of itself. */
  async ask(): Promise<void> {
    this.askAll();
    await new Promise<void>((resolve) => this.options.clock.setTimeout(resolve, askMs));
  }

  /** Who carries such an attempt, after a question to all; a host that is slow to answer has a whole heartbeat for it. */
  async findHolder(
    operation: string,
    isWanted: (label: Label) => boolean,
  ): Promise<KnownHost | undefined> {
    const { clock } = this.options;
    const until = clock.monotonic() + heartbeatMs + askMs;
    this.askAll();
    for (;;) {
      const holder = this.holderOf(operation, isWanted);
      if (holder || clock.monotonic() >= until) return holder;
      await new Promise<void>((resolve) => clock.setTimeout(resolve, lookMs));
    }
  }

  /** This process itself has slept: silence until now proves nothing. */
  forgive(): void {
    const seenAt = this.options.clock.monotonic();
    for (const [id, host] of this.known) this.known.set(id, { ...host, seenAt });
  }

  close(): void {
    this.listening.unsubscribe();
  }

  private askAll(): void {
    const { bus } = this.options;
    if (bus.state === 'closed') return;
    bus.publish(ctlSubject(bus.ns, allHosts), { protocol: workProtocol, type: 'report' });
  }

  private heard(payload: Plain): void {
    let beat: Heartbeat;
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
export async function hostsOn(bus: Bus, clock: Clock): Promise<readonly KnownHost[]> {
  const hosts = new Hosts({ bus, clock });
  try {
    await hosts.ask();
    return hosts.living(heartbeatMs);
  } finally {
    hosts.close();
  }
}

/** Where orders to one host go. */
export function hostSubject(bus: Bus, host: string): string {
  return subjectOf(bus.ns, 'ctl', host);
}
