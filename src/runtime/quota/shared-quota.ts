import type { GateWatcher } from '../../actors/provider-gate.ts';
import type { KeyBucket, Watch } from '../../bus/key-bucket.ts';
import { escapeToken } from '../../bus/subject-grammar.ts';
import type { Clock, TimerHandle } from '../../core/clock.ts';
import { messageOf, TroupeError } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import { toPlain } from '../../core/plain.ts';
import type { RateShare } from '../../policies/call-admission.ts';
import { emptyQuota, renewedQuota, withoutProcess } from '../../policies/quota-slices.ts';
import type { QuotaRecord, QuotaTurn } from '../../policies/quota-slices.ts';
import type { LocalGate } from '../provider-gates.ts';

/** A slice is renewed so often while it is in use. */
const renewMs = 10_000;

/** A slice that could not be renewed for so long is used with care. */
const carefulAfterMs = 20_000;

/** A slice that nobody has renewed for so long is nobody's: longer than care and a whole window together. */
const expireMs = 90_000;

/** Hunger is told no more often. */
const leastGapMs = 1_000;

/** Writes that meet those of others are tried so often. */
const mostTries = 20;

/** What a share is made from. */
export interface SharedQuotaOptions {
  readonly local: LocalGate;
  readonly bucket: () => Promise<KeyBucket>;
  /** Whether the bus can be asked right now. */
  readonly isConnected: () => boolean;
  /** Name of this process among those that share. */
  readonly process: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * One gate's part of limits that several processes share by a key on the bus. The bus is asked when a process
 * begins to call, when it needs more, and every ten seconds, never per call.
 *
 * Invariants:
 * 1. The gate's share is never more than what the record says that this process holds, except while the bus is
 *    away: then it goes on with half of what it held last, or a tenth of the limit if it held nothing yet.
 * 2. A share is lowered before the record says so, and raised after.
 * 3. At most one write is under way.
 */
export class SharedQuota implements GateWatcher {
  private readonly options: SharedQuotaOptions;
  private readonly key: string;
  private opening: Promise<KeyBucket> | undefined;
  private watching: Watch | undefined;
  private record: QuotaRecord = emptyQuota;
  private revision = 0;
  private share: RateShare = { requests: 0, tokens: 0 };
  /** When each process was last seen to renew. */
  private readonly seen = new Map<string, { beat: number; at: number }>();
  private beat = 0;
  private renewedAt = -Infinity;
  private renewing: Promise<void> | undefined;
  private wantsMore = false;
  private pauseUntil = 0;
  private isActive = false;
  private isCareful = false;
  private closed = false;
  private timer: TimerHandle;
  private timerAt = Infinity;
  private limits: RateShare = { requests: Infinity, tokens: Infinity };

  constructor(options: SharedQuotaOptions) {
    const { provider, key } = options.local;
    this.options = options;
    this.key = `${escapeToken(provider)}.${escapeToken(key)}`;
    options.local.gate.watch(this);
    this.apply(this.limited({ requests: 0, tokens: 0 }));
  }

  changed(): void {
    const { gate } = this.options.local;
    if (this.closed || this.renewing) return;
    const isHungry = gate.waiting > 0;
    if (this.isActive && this.haveLimitsChanged()) return void this.renew();
    if (!this.isActive && (isHungry || gate.inFlight > 0)) return this.activate();
    const isNews = isHungry && !this.wantsMore;
    if (isNews && this.now() - this.renewedAt >= leastGapMs) void this.renew();
  }

  paused(forMs: number): void {
    this.pauseUntil = Math.max(this.pauseUntil, this.options.clock.now() + forMs);
    this.isActive = true;
    void this.renew();
  }

  /** Gives the slice back. */
  async close(): Promise<void> {
    this.closed = true;
    this.disarm();
    this.watching?.stop();
    if (!this.options.isConnected()) return;
    await this.renewing;
    if (this.isActive) await this.leave().catch((error: unknown) => this.note(error));
  }

  private activate(): void {
    this.isActive = true;
    if (this.isLimited()) return void this.renew();
    // Nothing to share but the pauses.
    this.open().catch((error: unknown) => this.note(error));
  }

  /** Renews the slice, and goes on doing so while it is in use. */
  private renew(): Promise<void> {
    this.renewing ??= this.renewOnce()
      .catch((error: unknown) => this.beCareful(error))
      .finally(() => {
        this.renewing = undefined;
        const isHungry = this.options.local.gate.waiting > 0;
        this.schedule(isHungry && !this.wantsMore ? leastGapMs : renewMs);
      });
    return this.renewing;
  }

  private async renewOnce(): Promise<void> {
    const bucket = await this.open();
    await this.write(bucket, () => {
      this.limits = this.limitsOf();
      this.beat++;
      const { record, share } = renewedQuota(this.record, this.turn());
      const pausedUntil = Math.max(record.pausedUntil, this.pauseUntil);
      this.wantsMore = this.options.local.gate.waiting > 0;
      this.apply(least(this.share, share));
      return { record: { ...record, pausedUntil }, done: () => this.apply(share) };
    });
    this.renewedAt = this.now();
    this.isCareful = false;
  }

  private turn(): QuotaTurn {
    const { local, process } = this.options;
    const { gate } = local;
    const [used, hungry] = [gate.used(), gate.waiting > 0];
    const { limits, beat } = this;
    return { process, limits, used, hungry, dead: this.dead(), beat };
  }

  private async leave(): Promise<void> {
    const { process } = this.options;
    if (!this.record.slices[process]) return;
    const bucket = await this.open();
    this.apply(this.limited({ requests: 0, tokens: 0 }));
    await this.write(bucket, () => ({
      record: withoutProcess(this.record, process),
      done: () => undefined,
    }));
  }

  /** Writes what follows from the record as it stands; from what others have made of it if they were first. */
  private async write(
    bucket: KeyBucket,
    decide: () => { record: QuotaRecord; done: () => void },
  ): Promise<void> {
    for (let tries = 1; ; tries++) {
      const { record, done } = decide();
      try {
        const value = toPlain(record as never);
        const revision = await (this.revision === 0
          ? bucket.create(this.key, value)
          : bucket.update(this.key, value, this.revision));
        this.take(record, revision);
        return done();
      } catch (error) {
        if (!isConflict(error) || tries >= mostTries) throw error;
        const entry = await bucket.get(this.key);
        this.revision = entry?.revision ?? 0;
        this.record = (entry?.value as unknown as QuotaRecord | undefined) ?? emptyQuota;
      }
    }
  }

  private open(): Promise<KeyBucket> {
    this.opening ??= this.openBucket().catch((error: unknown) => {
      this.opening = undefined;
      throw error;
    });
    return this.opening;
  }

  private async openBucket(): Promise<KeyBucket> {
    const bucket = await this.options.bucket();
    this.watching = await bucket.watch(this.key, (event) => {
      if (event.type !== 'entry' || event.value === undefined) return;
      if (event.revision > this.revision)
        this.take(event.value as unknown as QuotaRecord, event.revision);
    });
    return bucket;
  }

  private take(record: QuotaRecord, revision: number): void {
    this.revision = revision;
    this.record = record;
    this.notice(record);
  }

  private notice({ slices, pausedUntil }: QuotaRecord): void {
    const { local, clock } = this.options;
    for (const [name, { beat }] of Object.entries(slices)) {
      if (this.seen.get(name)?.beat !== beat) this.seen.set(name, { beat, at: this.now() });
    }
    for (const name of this.seen.keys()) if (!slices[name]) this.seen.delete(name);
    const leftMs = pausedUntil - clock.now();
    if (leftMs > 0 && pausedUntil > this.pauseUntil) local.gate.heardOfPause(leftMs);
    this.pauseUntil = Math.max(this.pauseUntil, pausedUntil);
    if (this.isActive && this.isDue()) this.schedule(leastGapMs);
  }

  /** Whether there is more to have, or others wait for what this process does not use. */
  private isDue(): boolean {
    const { process } = this.options;
    const held = this.record.slices[process];
    const { record, share } = renewedQuota(this.record, this.turn());
    if (!held || !this.isLimited()) return false;
    const others = Object.entries(this.record.slices).filter(([name]) => name !== process);
    const mine = record.slices[process] ?? held;
    const isLess = mine.requests < held.requests || mine.tokens < held.tokens;
    if (isLess && others.some(([, { hungry }]) => hungry)) return true;
    const isMore = share.requests > this.share.requests || share.tokens > this.share.tokens;
    return isMore && this.options.local.gate.waiting > 0;
  }

  /** Processes whose slice has expired, by this process's own clock since it last saw them renew. */
  private dead(): ReadonlySet<string> {
    const dead = new Set<string>();
    for (const [name, { at }] of this.seen) {
      if (name !== this.options.process && this.now() - at > expireMs) dead.add(name);
    }
    return dead;
  }

  private schedule(withinMs = renewMs): void {
    const { clock, local } = this.options;
    const at = this.now() + withinMs;
    if (this.closed || !this.isActive || !this.isLimited() || this.timerAt <= at) return;
    this.disarm();
    this.timerAt = at;
    this.timer = clock.setTimeout(() => {
      this.timerAt = Infinity;
      const used = local.gate.used();
      const isIdle = local.gate.waiting + local.gate.inFlight === 0;
      if (isIdle && used.requests === 0) void this.rest();
      else void this.renew();
    }, withinMs);
  }

  private disarm(): void {
    if (this.timerAt !== Infinity) this.options.clock.clearTimeout(this.timer);
    this.timerAt = Infinity;
  }

  private isLimited(): boolean {
    const { requests, tokens } = this.limitsOf();
    return Math.min(requests, tokens) < Infinity;
  }

  private haveLimitsChanged(): boolean {
    const { requests, tokens } = this.limitsOf();
    return requests !== this.limits.requests || tokens !== this.limits.tokens;
  }

  /** Nothing was called for a minute: the slice is for others. */
  private async rest(): Promise<void> {
    this.isActive = false;
    await this.leave().catch((error: unknown) => this.note(error));
    this.changed();
  }

  private beCareful(error: unknown): void {
    this.note(error);
    if (this.isCareful || this.now() - this.renewedAt < carefulAfterMs) return;
    this.isCareful = true;
    const { requests, tokens } = this.limitsOf();
    const isNew = this.renewedAt === -Infinity;
    this.apply(
      isNew
        ? { requests: part(requests, 0.1), tokens: part(tokens, 0.1) }
        : { requests: part(this.share.requests, 0.5), tokens: part(this.share.tokens, 0.5) },
    );
  }

  private limitsOf(): RateShare {
    const { requestsPerMinute = Infinity, tokensPerMinute = Infinity } = this.options.local.limits;
    return { requests: requestsPerMinute, tokens: tokensPerMinute };
  }

  /** A share of what is limited at all. */
  private limited({ requests, tokens }: RateShare): RateShare {
    const limits = this.limitsOf();
    return {
      requests: limits.requests === Infinity ? Infinity : requests,
      tokens: limits.tokens === Infinity ? Infinity : tokens,
    };
  }

  private apply(share: RateShare): void {
    this.share = share;
    this.options.local.gate.setShare(share);
  }

  private note(error: unknown): void {
    const { logger, local } = this.options;
    logger.warn('the quota of a provider is not shared: the bus is away', {
      provider: local.provider,
      message: messageOf(error),
    });
  }

  private now(): number {
    return this.options.clock.monotonic();
  }
}

function isConflict(error: unknown): boolean {
  return error instanceof TroupeError && error.code === 'TRP_BUS_CONFLICT';
}

function least(a: RateShare, b: RateShare): RateShare {
  return { requests: Math.min(a.requests, b.requests), tokens: Math.min(a.tokens, b.tokens) };
}

function part(amount: number, share: number): number {
  return amount === Infinity ? Infinity : Math.max(1, Math.floor(amount * share));
}
