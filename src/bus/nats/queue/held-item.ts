import { nuid } from 'nats';
import type { TimerHandle } from '../../../core/clock.ts';
import { TroupeError } from '../../../core/errors.ts';
import type { Plain } from '../../../core/plain.ts';
import type { Headers } from '../../headers.ts';
import type { WorkItem, WorkLevel } from '../../work-queue.ts';
import type { JetStream } from '../jetstream.ts';
import { isConflict } from '../jetstream.ts';
import { nanosPerMs } from '../streams.ts';
import type { DeadLetters } from './dead-letters.ts';
import type { Permit } from './gate.ts';
import type { HoldLedger, HoldRecord, ItemName } from './hold-ledger.ts';
import type { PoolSettings } from './pool-settings.ts';

/** What the items of a pool share. */
export interface PoolParts {
  readonly js: JetStream;
  readonly pool: string;
  readonly ledger: HoldLedger;
  readonly letters: DeadLetters;
  readonly settings: PoolSettings;
}

/** An item as it was delivered. */
export interface DeliveredItem {
  readonly name: ItemName;
  readonly ackSubject: string;
  readonly data: Uint8Array;
  readonly headers: ReadonlyMap<string, string>;
  readonly deliveries: number;
  /** Of the last record about the item; 0: there is none. */
  readonly revision: number;
}

/** What its consumer sees of it. */
export interface ItemContent {
  readonly payload: Plain;
  readonly headers: Headers;
}

/**
 * An item in the hands of a consumer of this process.
 *
 * Invariants:
 * 1. Every verb first writes a record behind the one that this holder knows: what somebody else has claimed
 *    meanwhile is not touched.
 * 2. At most one settlement is under way; after one has succeeded, or somebody else has the item, none begins.
 * 3. A settlement that was cut off can be repeated, and then takes up where it was.
 */
export class HeldItem implements WorkItem {
  readonly id: string;
  readonly level: WorkLevel;
  readonly deliveries: number;
  private readonly parts: PoolParts;
  private readonly item: DeliveredItem;
  private readonly content: ItemContent;
  private readonly permit: Permit;
  private readonly holder = nuid.next();
  private revision: number;
  private phase: 'held' | 'settling' | 'settled' = 'held';
  private lastChance: TimerHandle;

  constructor(
    parts: PoolParts,
    item: DeliveredItem,
    { content, permit }: { readonly content: ItemContent; readonly permit: Permit },
  ) {
    this.parts = parts;
    this.item = item;
    this.content = content;
    this.permit = permit;
    this.id = item.name.id;
    this.level = item.name.level;
    this.deliveries = item.deliveries;
    this.revision = item.revision;
  }

  get payload(): Plain {
    return this.content.payload;
  }

  get headers(): Headers {
    return this.content.headers;
  }

  /** Takes the item into this consumer's hands. @param announced true: others may think that they have it */
  async hold(announced: boolean): Promise<void> {
    if (announced) await this.record('held');
    this.permit.renew();
    this.armLastChance();
  }

  ack(): Promise<void> {
    return this.settle('done', () => this.answer('+ACK'));
  }

  nak(delayMs = 0): Promise<void> {
    const { maxDeliveries } = this.parts.settings;
    if (this.deliveries >= maxDeliveries)
      return this.bury(`Given back at its last delivery, number ${this.deliveries}.`);
    const delay = Math.max(0, Math.round(delayMs)) * nanosPerMs;
    return this.settle('free', async () => {
      await this.parts.ledger.markFree(this.item.name);
      await this.answer(delay > 0 ? `-NAK {"delay":${delay}}` : '-NAK');
    });
  }

  async inProgress(): Promise<void> {
    if (this.phase !== 'held') throw this.notHeld();
    await this.record('held');
    await this.answer('+WPI');
    this.permit.renew();
    if (this.phase === 'held') this.armLastChance();
  }

  term(reason: string): Promise<void> {
    return this.bury(reason);
  }

  /** Makes a dead letter of it: first the letter, then the end of the item, so that it is never nowhere. */
  bury(reason: string, deliveries = this.deliveries): Promise<void> {
    const { name, data, headers } = this.item;
    const settlement = async (): Promise<void> => {
      await this.parts.letters.bury({ item: name, data, headers, deliveries, reason });
      await this.answer('+TERM');
    };
    return this.settle('dead', settlement, reason);
  }

  /** The pool is closed: nobody watches over the item here any more. */
  abandon(): void {
    this.parts.js.link.clock.clearTimeout(this.lastChance);
  }

  private async settle(
    state: HoldRecord['state'],
    settlement: () => Promise<void>,
    reason?: string,
  ): Promise<void> {
    if (this.phase !== 'held') throw this.notHeld();
    this.phase = 'settling';
    try {
      await this.record(state, reason);
      await settlement();
    } catch (error) {
      this.phase = isNotHeld(error) ? 'settled' : 'held';
      throw error;
    }
    this.phase = 'settled';
    this.abandon();
    await this.permit.release();
  }

  private async record(state: HoldRecord['state'], reason?: string): Promise<void> {
    const { ledger } = this.parts;
    const { holder, deliveries } = this;
    const record = { state, holder, deliveries, ...(reason === undefined ? {} : { reason }) };
    for (;;) {
      try {
        this.revision = await ledger.write(this.item.name, record, this.revision);
        return;
      } catch (error) {
        if (!isConflict(error)) throw error;
      }
      if (await this.isWritten(state)) return;
    }
  }

  /** Somebody has written behind what this holder knew. True: it was this holder, with the same state. */
  private async isWritten(state: HoldRecord['state']): Promise<boolean> {
    const last = await this.parts.ledger.last(this.item.name);
    const known = this.revision;
    // A record that has aged away leaves nothing to be behind.
    this.revision = last?.revision ?? 0;
    if (this.revision === known) throw this.notHeld();
    if (!last) return false;
    const { record } = last;
    if (record.holder !== this.holder) throw this.notHeld();
    if (record.state === state) return true;
    if (record.state !== 'held') throw this.notHeld();
    return false;
  }

  private answer(verb: string): Promise<void> {
    return this.parts.js.acknowledge(this.item.ackSubject, verb);
  }

  /** After its last delivery nobody else would look at an item whose consumer is silent. */
  private armLastChance(): void {
    const { settings, js } = this.parts;
    if (this.deliveries < settings.maxDeliveries) return;
    this.abandon();
    this.lastChance = js.link.clock.setTimeout(() => {
      const reason = `Its consumer was silent at the last delivery, number ${this.deliveries}.`;
      // Whoever pulls next does it otherwise.
      this.bury(reason).catch(() => undefined);
    }, settings.ackWaitMs);
  }

  private notHeld(): TroupeError {
    const { id, parts } = this;
    const message = `The item ${JSON.stringify(id)} of the pool ${parts.pool} is settled, or with somebody else.`;
    return new TroupeError('TRP_BUS_NOT_HELD', message, { place: `${parts.pool}/${id}` });
  }
}

/** Whether an error says that somebody else has the item. */
export function isNotHeld(error: unknown): boolean {
  return error instanceof TroupeError && error.code === 'TRP_BUS_NOT_HELD';
}
