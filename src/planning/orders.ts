import type { Random } from '../core/random.ts';

/** Jobs in the order in which they are taken, and the place of each in it. */
export interface JobOrder {
  readonly order: Int32Array;
  readonly place: Int32Array;
}

/** Orders jobs by keys, ascending; ties by number. Where priorities are strict, higher ones go before all else. */
export function orderBy(keys: ArrayLike<number>, strict?: readonly number[]): JobOrder {
  const order = Int32Array.from(keys, (_, job) => job);
  if (strict) {
    const higher = (a: number, b: number): number => (strict[b] ?? 0) - (strict[a] ?? 0);
    order.sort((a, b) => higher(a, b) || (keys[a] ?? 0) - (keys[b] ?? 0) || a - b);
  } else order.sort((a, b) => (keys[a] ?? 0) - (keys[b] ?? 0) || a - b);
  const place = new Int32Array(order.length);
  for (let at = 0; at < order.length; at++) place[order[at] ?? 0] = at;
  return { order, place };
}

/** The exponent of the regret is drawn up to this: 0 is blind, large is the plain rule. */
const maxBias = 3;

/** How many times the regret of the least urgent job the most urgent one has. */
const regretUnits = 10;

/**
 * Draws orders at random, biased towards jobs that would be regretted most if they went late (Kolisch 1995):
 * the ascending order of the keys picks, at each choice, a job with a probability in proportion to its regret
 * to the power of the bias. Log-weights plus Gumbel noise, sorted, are such a draw (Yellott 1977).
 * @param urgency of each job: the larger, the sooner.
 */
export function regretSampler(urgency: Float64Array, random: Random): () => Float64Array {
  const least = urgency.reduce((a, b) => Math.min(a, b), Infinity);
  const most = urgency.reduce((a, b) => Math.max(a, b), -Infinity);
  const unit = Math.max(most - least, Number.MIN_VALUE) / regretUnits;
  const regrets = urgency.map((value) => Math.log((value - least) / unit + 1));
  return () => {
    const bias = random() * maxBias;
    return regrets.map((regret) => -(bias * regret + gumbel(random)));
  };
}

function gumbel(random: Random): number {
  return -Math.log(-Math.log(Math.max(random(), Number.MIN_VALUE)) + Number.MIN_VALUE);
}
