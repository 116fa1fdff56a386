import { seededRandom } from '../core/random.ts';
import type { Random } from '../core/random.ts';

/** Choices by a seed: the same seed makes the same choices, in the same order. */
export class Dice {
  private readonly random: Random;

  constructor(seed: number) {
    this.random = seededRandom(seed);
  }

  /** True with this probability. */
  chance(probability: number): boolean {
    return this.random() < probability;
  }

  /** In [0, 1). */
  share(): number {
    return this.random();
  }

  /** A whole number between both ends, the ends included. */
  between(low: number, high: number): number {
    return low + Math.floor(this.random() * (high - low + 1));
  }

  /** One of several. */
  pick<T>(choices: readonly [T, ...T[]]): T {
    return choices[this.between(0, choices.length - 1)] ?? choices[0];
  }

  /** With this probability the properties that `make` gives, none otherwise. */
  maybe<T extends object>(probability: number, make: () => T): T | Record<never, never> {
    return this.chance(probability) ? make() : {};
  }
}
