import type { Bus, Subscription } from '../../../bus/bus.ts';
import type { KeyBucket, Watch } from '../../../bus/key-bucket.ts';
import { subjectOf } from '../../../bus/subjects.ts';
import type { Clock } from '../../../core/clock.ts';
import { TroupeError } from '../../../core/errors.ts';
import type { Plain, PlainObject } from '../../../core/plain.ts';
import { isExpired, sighted } from '../../lease.ts';
import type { LeaseTerms, Sighting } from '../../lease.ts';

/** How long a node that is asked whether it is there may take to answer, in milliseconds. */
const answerMs = 1_000;

/** A sign of life that nobody renewed for this long is cleared away; long after everybody has taken it for none. */
const keptMs = 24 * 3_600_000;

/** What signs of life are made from. */
export interface SignsOfLifeOptions {
  readonly bus: Bus;
  readonly node: string;
  readonly clock: Clock;
  readonly terms: LeaseTerms;
}

/** A sign of life, and how long it counts. */
interface Sign extends Sighting {
  readonly ttlMs: number;
}

/**
 * Who is alive, as one process tells it and sees it: key `<node>` of the bucket `leases`, renewed, and answers on the
 * node's `hb` subject.
 *
 * Invariant: a node is taken for dead only when its key is gone, or has been the same for the whole time to live by
 * this process's own monotonic clock, counted from when this process saw it first.
 */
export class SignsOfLife {
  private readonly options: SignsOfLifeOptions;
  private readonly seen = new Map<string, Sign>();
  private opened: Promise<KeyBucket> | undefined;
  private watching: Promise<Watch> | undefined;
  private answering: Subscription | undefined;
  private beats = 0;

  constructor(options: SignsOfLifeOptions) {
    this.options = options;
  }

  /** This process is alive. The first call has it answer those who ask. */
  async renew(): Promise<void> {
    const { bus, node, terms } = this.options;
    this.answering ??= bus.subscribe(subjectOf(bus.ns, 'hb', node), (message) =>
      message.respond({ node }),
    );
    await (await this.bucket()).put(node, { beat: ++this.beats, ttl_ms: terms.ttlMs });
  }

  /** This process owns nothing any more. */
  async end(): Promise<void> {
    this.answering?.unsubscribe();
    if (this.beats > 0) await (await this.bucket()).delete(this.options.node);
  }

  stopWatching(): void {
    void this.watching?.then((watch) => watch.stop()).catch(() => undefined);
  }

  /** Begins to observe; resolves when the signs of all nodes have been seen once. */
  async watch(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      if (this.watching) return void this.watching.then(() => resolve(), reject);
      this.watching = this.startWatching(resolve);
      this.watching.catch((error: unknown) => {
        this.watching = undefined;
        reject(error as Error);
      });
    });
  }

  /** What the observation says so far. Only after {@link watch}. */
  isDead(node: string): boolean {
    const sighting = this.seen.get(node);
    return !sighting || isExpired(sighting, sighting, this.options.clock.monotonic());
  }

  /** Waits until a node has given another sign of life (false) or is dead (true). */
  async diesOut(node: string): Promise<boolean> {
    if (await this.answers(node)) return false;
    await this.watch();
    const first = this.seen.get(node)?.mark;
    while (!this.isDead(node)) {
      if (this.seen.get(node)?.mark !== first) return false;
      await this.pause(Math.max(5, this.options.terms.ttlMs / 40));
    }
    return true;
  }

  /** Whether a node answers at this moment. No answer may mean that it is away, or slow. */
  async answers(node: string): Promise<boolean> {
    const { bus } = this.options;
    try {
      await bus.request(subjectOf(bus.ns, 'hb', node), null, { timeoutMs: answerMs });
      return true;
    } catch (error) {
      // Who may not ask cannot know: it is taken to be there.
      return error instanceof TroupeError && error.code === 'TRP_BUS_DENIED';
    }
  }

  private async startWatching(ready: () => void): Promise<Watch> {
    const { clock } = this.options;
    const bucket = await this.bucket();
    return bucket.watch('>', (event) => {
      if (event.type === 'ready') return ready();
      const { key, value, revision } = event;
      if (value === undefined) return void this.seen.delete(key);
      const sighting = sighted(this.seen.get(key), String(revision), clock.monotonic());
      this.seen.set(key, { ...sighting, ttlMs: this.ttlOf(value) });
    });
  }

  /** How long its owner says that a sign of life counts; each process may have terms of its own. */
  private ttlOf(value: Plain): number {
    const ttlMs = (value as PlainObject | null)?.['ttl_ms'];
    return typeof ttlMs === 'number' && ttlMs > 0 ? ttlMs : this.options.terms.ttlMs;
  }

  private bucket(): Promise<KeyBucket> {
    this.opened ??= this.options.bus.keys('leases', { history: 1, ttlMs: keptMs });
    this.opened.catch(() => (this.opened = undefined));
    return this.opened;
  }

  private pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.options.clock.setTimeout(resolve, delayMs));
  }
}
