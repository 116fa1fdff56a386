/** How long attempts of one agent take, as multiples of their planned durations. */
interface Pace {
  count: number;
  /** Follows slowly: what is usual in this run. */
  usual: number;
  /** Follows fast. */
  recent: number;
}

/** Newest response times that count for the percentile. */
const kept = 32;

/** Weights of the newest value. */
const weights = { usual: 0.05, recent: 0.3 } as const;

/** Successful attempts until an agent's pace says something. */
const leastCount = 3;

/**
 * How fast the attempts of a run are answered. Only successes count: a fast failure is no merit.
 *
 * Invariant: `newest` holds the last {@link kept} response times, in no order.
 */
export class Responses {
  private readonly newest: number[] = [];
  private next = 0;
  private readonly paces = new Map<string, Pace>();

  /** An attempt has succeeded. @param plannedMs what was planned for it. */
  note(agent: string, durationMs: number, plannedMs: number): void {
    this.newest[this.next] = durationMs;
    this.next = (this.next + 1) % kept;
    const times = durationMs / Math.max(1, plannedMs);
    const pace = this.paces.get(agent) ?? { count: 0, usual: times, recent: times };
    pace.count++;
    pace.usual += Math.max(weights.usual, 1 / pace.count) * (times - pace.usual);
    pace.recent += weights.recent * (times - pace.recent);
    this.paces.set(agent, pace);
  }

  /** Nine of ten of the newest attempts took no longer; undefined: none has succeeded. */
  p90(): number | undefined {
    if (this.newest.length === 0) return undefined;
    const sorted = this.newest.toSorted((a, b) => a - b);
    return sorted[Math.ceil(0.9 * sorted.length) - 1];
  }

  /** How many times as long as usual the agent that has slowed most takes; 1 at least. */
  slowness(): number {
    let most = 1;
    for (const { count, usual, recent } of this.paces.values())
      if (count >= leastCount && usual > 0) most = Math.max(most, recent / usual);
    return most;
  }

  /** How many times as long as planned an agent's tasks take, agents of which enough is known. */
  *known(): Iterable<readonly [agent: string, times: number]> {
    for (const [agent, { count, recent }] of this.paces)
      if (count >= leastCount) yield [agent, recent];
  }
}
