import type { SimulatedClock } from '../../src/core/simulated-clock.ts';

/** A provider on the simulated clock that allows so many requests in any minute, and refuses the others. */
export class SimulatedProvider {
  perMinute: number;
  accepted = 0;
  refused = 0;
  mostInFlight = 0;
  /** When each request came in. */
  readonly times: number[] = [];
  private readonly clock: SimulatedClock;
  private readonly latencyMs: number;
  private readonly recent: number[] = [];
  private inFlight = 0;

  constructor(
    clock: SimulatedClock,
    { perMinute, latencyMs }: { perMinute: number; latencyMs: number },
  ) {
    this.clock = clock;
    this.perMinute = perMinute;
    this.latencyMs = latencyMs;
  }

  /** Rejects with status 429 and the time after which there is room again. */
  async handle(request: string): Promise<void> {
    const now = this.clock.now();
    this.times.push(now);
    while (this.recent.length > 0 && (this.recent[0] as number) <= now - 60_000)
      this.recent.shift();
    if (this.recent.length >= this.perMinute) {
      this.refused++;
      const oldest = this.recent[this.recent.length - this.perMinute] as number;
      const seconds = Math.ceil((oldest + 60_000 - now) / 1_000);
      throw Object.assign(new Error(`too many requests: ${request}`), {
        status: 429,
        headers: new Headers({ 'retry-after': `${seconds}` }),
      });
    }
    this.recent.push(now);
    this.accepted++;
    this.mostInFlight = Math.max(this.mostInFlight, ++this.inFlight);
    await new Promise<void>((resolve) => this.clock.setTimeout(resolve, this.latencyMs));
    this.inFlight--;
  }

  /** The least time that so many requests take. */
  boundMs(requests: number): number {
    return (Math.ceil(requests / this.perMinute) - 1) * 60_000 + this.latencyMs;
  }
}
