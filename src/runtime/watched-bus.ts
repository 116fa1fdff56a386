import type { Bus } from '../bus/bus.ts';

/** A bus, and whether anybody could be looking at it. */
export class WatchedBus {
  readonly bus: Bus;
  /** For people: `embedded`, `given`, or what `--bus` takes; holds no secret. */
  readonly name: string;
  private looked: boolean;
  private readonly waiting = new Set<() => void>();

  /** What is embedded is private: nobody else has the bus, until {@link look}. */
  constructor(bus: Bus, name: string) {
    this.bus = bus;
    this.name = name;
    this.looked = name !== 'embedded';
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
