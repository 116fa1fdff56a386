import type { BusServiceStats } from '../../bus/bus-service.ts';

/** What a host has done for one pool. */
export class PoolTally {
  private requests = 0;
  private errors = 0;
  private lastError = '';
  private busyMs = 0;
  private busy = 0;
  private readonly agents = new Map<string, number>();

  began(agent: string): void {
    this.requests++;
    this.busy++;
    this.agents.set(agent, (this.agents.get(agent) ?? 0) + 1);
  }

  /** @param error message of an attempt that did not succeed */
  ended(durationMs: number, error: string | undefined): void {
    this.busy--;
    this.busyMs += durationMs;
    if (error === undefined) return;
    this.errors++;
    this.lastError = error;
  }

  shown(): BusServiceStats {
    const { requests, errors, lastError, busyMs, busy, agents } = this;
    return {
      requests,
      errors,
      lastError,
      busyMs,
      data: { busy, agents: Object.fromEntries(agents) },
    };
  }
}
