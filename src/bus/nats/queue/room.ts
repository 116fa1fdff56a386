import { TroupeError } from '../../../core/errors.ts';
import type { NatsLink } from '../link.ts';

/** What a {@link Room} needs to know. */
export interface RoomOptions {
  readonly link: NatsLink;
  readonly pool: string;
  readonly maxWaiting: number;
  /** Items that wait now. */
  readonly countWaiting: () => Promise<number>;
}

/** A count of items is believed this long, in milliseconds. */
const staleMs = 1_000;

/**
 * Room for items that wait. The server is asked only when what it last said is used up or old; other processes may
 * have added meanwhile, so that over all of them the limit can be passed by what they add within that time.
 *
 * Invariant: this process alone never passes the limit: a place is taken before an item is sent, and nobody counts
 * while an item is on its way.
 */
export class Room {
  private readonly options: RoomOptions;
  private places = 0;
  private countedAt = -Infinity;
  private onTheirWay = 0;
  private counting: Promise<void> | undefined;
  private whenQuiet: (() => void) | undefined;

  constructor(options: RoomOptions) {
    this.options = options;
  }

  /** Adds in a place that is free. Rejects with TRP_BUS_FULL when there is none. @returns of `add` */
  async use<T extends { readonly duplicate: boolean }>(add: () => Promise<T>): Promise<T> {
    await this.takePlace();
    this.onTheirWay++;
    try {
      const added = await add();
      if (added.duplicate) this.places++;
      return added;
    } finally {
      this.onTheirWay--;
      if (this.onTheirWay === 0) this.whenQuiet?.();
    }
  }

  private async takePlace(): Promise<void> {
    while (this.counting) await this.counting;
    if (this.places === 0 || this.options.link.clock.monotonic() - this.countedAt > staleMs) {
      this.counting = this.count().finally(() => {
        this.counting = undefined;
      });
      await this.counting;
    }
    if (this.places <= 0) throw this.full();
    this.places--;
  }

  private async count(): Promise<void> {
    if (this.onTheirWay > 0)
      await new Promise<void>((resolve) => {
        this.whenQuiet = resolve;
      });
    this.whenQuiet = undefined;
    const { maxWaiting, countWaiting, link } = this.options;
    this.places = Math.max(0, maxWaiting - (await countWaiting()));
    this.countedAt = link.clock.monotonic();
  }

  private full(): TroupeError {
    const { pool, maxWaiting } = this.options;
    const message = `The queue ${pool} is full: ${maxWaiting} items wait.`;
    return new TroupeError('TRP_BUS_FULL', message, { place: pool, errorClass: 'transient' });
  }
}
