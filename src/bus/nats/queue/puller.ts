import { TroupeError } from '../../../core/errors.ts';
import type { PullOptions } from '../../work-queue.ts';
import { closedError, disconnectedError } from '../client-errors.ts';
import { admit } from './admission.ts';
import type { LevelSource } from './admission.ts';
import type { Gate, Permit } from './gate.ts';
import type { HeldItem, PoolParts } from './held-item.ts';
import type { Horizon } from './horizon.ts';
import { PullSession } from './pull-session.ts';
import type { Delivery } from './pull-session.ts';

/** What a {@link Puller} is made of. */
export interface PullerOptions {
  readonly parts: PoolParts;
  readonly gate: Gate;
  readonly horizon: Horizon;
  /** In order of priority. */
  readonly sources: readonly LevelSource[];
}

interface Pulling {
  readonly until: number;
  readonly signal: AbortSignal;
}

/** Between two tries while there is no connection, in milliseconds. */
const pauseMs = 20;

/**
 * Pulls items in strict priority: a permit first, then the levels one after the other, and only when all are
 * empty a wait at all of them.
 *
 * Invariant: a permit is with an item, or on its way back.
 */
export class Puller {
  private readonly options: PullerOptions;
  private readonly session: PullSession<LevelSource>;
  private readonly active = new Set<AbortController>();
  private closed = false;

  constructor(options: PullerOptions) {
    this.options = options;
    this.session = new PullSession<LevelSource>(options.parts.js);
  }

  async pull({ waitMs = 0, signal }: PullOptions): Promise<HeldItem | undefined> {
    if (this.closed) throw closedError();
    if (signal?.aborted === true) return undefined;
    const { clock } = this.options.parts.js.link;
    const controller = new AbortController();
    const abort = (): void => controller.abort();
    signal?.addEventListener('abort', abort, { once: true });
    this.active.add(controller);
    try {
      return await this.untilOne({ until: clock.monotonic() + waitMs, signal: controller.signal });
    } finally {
      signal?.removeEventListener('abort', abort);
      this.active.delete(controller);
    }
  }

  close(): void {
    this.closed = true;
    for (const controller of this.active) controller.abort();
    this.session.end();
    this.options.gate.close();
  }

  private async untilOne(pulling: Pulling): Promise<HeldItem | undefined> {
    const { link } = this.options.parts.js;
    for (;;) {
      const item = await this.tryOnce(pulling);
      if (item) return item;
      if (this.closed) throw closedError();
      if (pulling.signal.aborted) return undefined;
      if (this.left(pulling) > 0) {
        if (!link.connected) await this.options.parts.js.pause(pauseMs);
      } else if (link.connected) return undefined;
      else throw disconnectedError(`Pulling from the queue ${this.options.parts.pool}`);
    }
  }

  /** An item that is there now, or comes while the time lasts. A lost connection is no error while it does. */
  private async tryOnce(pulling: Pulling): Promise<HeldItem | undefined> {
    try {
      if (!this.options.parts.js.link.connected) return undefined;
      const { signal } = pulling;
      const permit = await this.options.gate.enter({ waitMs: this.left(pulling), signal });
      return permit && (await this.withPermit(permit, pulling));
    } catch (error) {
      const passes =
        error instanceof TroupeError &&
        (error.code === 'TRP_BUS_DISCONNECTED' || error.code === 'TRP_BUS_TIMEOUT');
      if (!passes || this.left(pulling) <= 0) throw error;
      return undefined;
    }
  }

  private async withPermit(permit: Permit, pulling: Pulling): Promise<HeldItem | undefined> {
    let item: HeldItem | undefined;
    try {
      item = await this.scan(permit, pulling);
      if (!item && this.left(pulling) > 0 && !pulling.signal.aborted)
        item = await this.wait(permit, pulling);
    } finally {
      if (!item) await permit.release();
    }
    return item;
  }

  /** Level by level; from the first again when what a level had was no item. */
  private async scan(permit: Permit, pulling: Pulling): Promise<HeldItem | undefined> {
    const { sources } = this.options;
    for (let index = 0; index < sources.length && !pulling.signal.aborted;) {
      const source = sources[index] as LevelSource;
      const delivery = await this.session.now(source);
      if (!delivery) {
        index++;
        continue;
      }
      const item = await this.take(delivery, permit, pulling);
      if (item) return item;
      index = 0;
    }
    return undefined;
  }

  private async wait(permit: Permit, pulling: Pulling): Promise<HeldItem | undefined> {
    const { parts, sources } = this.options;
    const { clock } = parts.js.link;
    const keepMs = parts.settings.ackWaitMs / 3;
    const keep = (): void => {
      permit.renew();
      timer = clock.setTimeout(keep, keepMs);
    };
    let timer = clock.setTimeout(keep, keepMs);
    try {
      const waitMs = this.left(pulling);
      const delivery = await this.session.wait(sources, { waitMs, signal: pulling.signal });
      return delivery && (await this.take(delivery, permit, pulling));
    } finally {
      clock.clearTimeout(timer);
    }
  }

  private async take(
    delivery: Delivery<LevelSource>,
    permit: Permit,
    { signal }: Pulling,
  ): Promise<HeldItem | undefined> {
    const { parts, horizon } = this.options;
    try {
      if (!signal.aborted)
        return await admit(parts, delivery, { permit, horizon: await horizon.seq() });
    } catch (error) {
      giveBack(delivery);
      throw error;
    }
    giveBack(delivery);
    return undefined;
  }

  private left({ until }: Pulling): number {
    return until - this.options.parts.js.link.clock.monotonic();
  }
}

/** Nobody takes it: it goes to another at once, and not when its time is over. */
function giveBack({ message }: Delivery): void {
  message.respond(new TextEncoder().encode('-NAK'));
}
