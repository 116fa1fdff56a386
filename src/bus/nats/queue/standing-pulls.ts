import type { Clock } from '../../../core/clock.ts';

interface StandingPull {
  readonly token: string;
  readonly dueMs: number;
}

/** The server is believed to have ended a pull so long after its time, in milliseconds. */
const marginMs = 1_000;

/**
 * Pulls that wait at consumers, as far as their sender knows.
 *
 * Invariant: a pull that is counted was sent and has, as far as can be told, neither been served nor ended. The server
 * does not say which one a delivery was for; it serves the oldest first, and so it is taken for that one.
 */
export class StandingPulls {
  private readonly clock: Clock;
  private readonly byConsumer = new Map<string, StandingPull[]>();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  add(consumer: string, token: string, expiresMs: number): void {
    const pulls = this.byConsumer.get(consumer) ?? [];
    pulls.push({ token, dueMs: this.clock.monotonic() + expiresMs + marginMs });
    this.byConsumer.set(consumer, pulls);
  }

  /** How many wait at the consumer. */
  count(consumer: string): number {
    const pulls = this.byConsumer.get(consumer) ?? [];
    const now = this.clock.monotonic();
    // The end of one may have got lost; they end in the order of sending.
    while (pulls[0] && pulls[0].dueMs < now) pulls.shift();
    return pulls.length;
  }

  /** The consumer has sent something. */
  served(consumer: string): void {
    this.byConsumer.get(consumer)?.shift();
  }

  /** The server has ended a pull with nothing. @returns its consumer; undefined: it is not known */
  ended(token: string): string | undefined {
    for (const [consumer, pulls] of this.byConsumer) {
      const index = pulls.findIndex((pull) => pull.token === token);
      if (index === -1) continue;
      pulls.splice(index, 1);
      return consumer;
    }
    return undefined;
  }

  clear(): void {
    this.byConsumer.clear();
  }
}
