import type { Receivers } from './receivers.ts';

/** Subjects of one generation. Two of them hold every subject in use, up to 32,768. */
const generationSize = 16_384;

/**
 * Receivers by subject, in two generations: what was not asked for during a whole generation is forgotten.
 * When hardly anything was found again, there are more subjects than places, and keeping each of them costs more
 * than looking it up anew; then new ones are not kept for a while.
 *
 * Invariant: it holds at most two generations.
 */
export class ReceiversCache {
  private young = new Map<string, Receivers>();
  private old = new Map<string, Receivers>();
  /** Subjects of the old generation that were asked for again. */
  private foundAgain = 0;
  /** New subjects that are still not to be kept. */
  private passing = 0;

  get size(): number {
    return this.young.size + this.old.size;
  }

  get(subject: string): Receivers | undefined {
    return this.young.get(subject) ?? this.fromOld(subject);
  }

  set(subject: string, receivers: Receivers): void {
    if (this.passing > 0 && !this.young.has(subject)) this.passing--;
    else this.keep(subject, receivers);
  }

  delete(subject: string): void {
    this.young.delete(subject);
    this.old.delete(subject);
  }

  private fromOld(subject: string): Receivers | undefined {
    const known = this.old.get(subject);
    if (!known) return undefined;
    this.foundAgain++;
    this.old.delete(subject);
    this.keep(subject, known);
    return known;
  }

  private keep(subject: string, receivers: Receivers): void {
    if (this.young.size >= generationSize) this.turnOver();
    this.young.set(subject, receivers);
  }

  private turnOver(): void {
    const thrashing = this.old.size > 0 && this.foundAgain < generationSize / 8;
    this.passing = thrashing ? generationSize * 4 : 0;
    this.old = this.young;
    this.young = new Map();
    this.foundAgain = 0;
  }
}
