import type { SimulatedClock } from '../core/simulated-clock.ts';

interface Parcel {
  readonly dueMs: number;
  readonly arrive: () => void;
}

/** How often a lane that is cut looks whether it is open again, in milliseconds. */
const retryMs = 50;

/**
 * One direction of a connection that keeps order: what is sent arrives later and never before what was sent
 * before it. While the connection is cut nothing arrives, and nothing is lost.
 */
export class Lane {
  private readonly parcels: Parcel[] = [];
  private readonly clock: SimulatedClock;
  private readonly isCut: () => boolean;

  constructor(clock: SimulatedClock, isCut: () => boolean) {
    this.clock = clock;
    this.isCut = isCut;
  }

  /** @param delayMs 0: it arrives at once when nothing is in its way */
  send(delayMs: number, arrive: () => void): void {
    const { parcels, clock } = this;
    if (delayMs === 0 && parcels.length === 0 && !this.isCut()) return arrive();
    const dueMs = Math.max(parcels.at(-1)?.dueMs ?? 0, clock.now() + delayMs);
    parcels.push({ dueMs, arrive });
    if (parcels.length === 1) this.arm(dueMs - clock.now());
  }

  private arm(delayMs: number): void {
    this.clock.setTimeout(() => this.deliver(), delayMs);
  }

  private deliver(): void {
    if (this.isCut()) return this.arm(retryMs);
    const parcel = this.parcels[0];
    // It stays in its place meanwhile, so that what is sent now does not overtake the others.
    parcel?.arrive();
    this.parcels.shift();
    const next = this.parcels[0];
    if (next) this.arm(Math.max(0, next.dueMs - this.clock.now()));
  }
}
