import type { Bus } from '../bus/bus.ts';

/** A bus, and whether anybody could be looking at it. */
export class WatchedBus {
  readonly bus: Bus;
  private looked: boolean;
  private readonly waiting = new Set<() => void>();

  /** @param isPrivate true: nobody else has the bus, until {@link look}. */
  constructor(bus: Bus, isPrivate: boolean) {
    this.bus = bus;
    this.looked = !isPrivate;
  }

  get isWatched(): boolean {
    return this.looked;
  }

  /** Somebody outside gets the bus. */
  look(): Bus {
    if (this.looked) return this.bus;
    this.looked = true;
    for (const tell of this.waiting) tell();
    this.waiting.clear();
    return this.bus;
  }

  /** Calls once, when somebody begins to watch; the function returned ends that. */
  onWatched(tell: () => void): () => void {
    this.waiting.add(tell);
    return () => this.waiting.delete(tell);
  }
}
