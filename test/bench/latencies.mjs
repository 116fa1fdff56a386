/** How long acts took that were carried out one after the other in several lanes. */
import { costOf, sweepYoung } from './measure.mjs';

/** CPU is this process's, per act. @typedef {{ perSecond: number, p50Us: number, p99Us: number, cpuUs: number }} Rate */
/** Medians over the rounds, and every round in its turn. @typedef {Rate & { rounds: readonly Rate[] }} Rates */

/**
 * Shares n acts among lanes, each of which awaits one before it begins the next.
 * @param {{ n: number, lanes: number, act: (index: number) => Promise<unknown> }} load
 * @returns {Promise<Rate>}
 */
export async function rateOf({ n, lanes, act }) {
  /** @type {number[]} */
  const times = [];
  let begun = 0;
  const lane = async () => {
    while (begun < n) {
      const index = begun++;
      const start = performance.now();
      await act(index);
      times.push((performance.now() - start) * 1000);
    }
  };
  const { cpuUs, wallUs } = await costOf(() => Promise.all(Array.from({ length: lanes }, lane)));
  return {
    perSecond: (n / wallUs) * 1_000_000,
    p50Us: percentile(times, 0.5),
    p99Us: percentile(times, 0.99),
    cpuUs: cpuUs / n,
  };
}

/**
 * Takes the rate of every side once per round, one side after the other, each time in another order, since a side can
 * leave the machine better or worse than it was; the first `warmUps` rounds do not count.
 * @template {string} Name
 * @param {{ readonly [name in Name]: () => Promise<Rate> }} sides
 * @param {{ rounds: number, warmUps: number }} options
 * @returns {Promise<{ [name in Name]: Rates }>}
 */
export async function ratesInTurn(sides, { rounds, warmUps }) {
  const names = /** @type {Name[]} */ (Object.keys(sides));
  /** @type {Map<Name, Rate[]>} */
  const taken = new Map(names.map((name) => [name, []]));
  for (let round = -warmUps; round < rounds; round++)
    for (const name of inTurn(names, round + warmUps)) {
      sweepYoung();
      const rate = await sides[name]();
      if (round >= 0) taken.get(name)?.push(rate);
    }
  const medians = names.map((name) => [name, middle(taken.get(name) ?? [])]);
  return /** @type {{ [name in Name]: Rates }} */ (Object.fromEntries(medians));
}

/**
 * Each name is as often first as any other, and as often before another as behind it.
 * @template T
 * @param {readonly T[]} names
 * @param {number} round
 */
function inTurn(names, round) {
  const start = (round >> 1) % names.length;
  const rotated = [...names.slice(start), ...names.slice(0, start)];
  return round % 2 === 0 ? rotated : rotated.reverse();
}

/**
 * How many times as long one side takes as the other: the median over the rounds, in each of which both met about the
 * same machine. The ratio of the medians swings much more where others are at work.
 * @param {Rates} side
 * @param {Rates} floor
 */
export function slowdown(side, floor) {
  return percentile(
    side.rounds.map(({ perSecond }, round) => (floor.rounds[round]?.perSecond ?? NaN) / perSecond),
    0.5,
  );
}

/**
 * @param {readonly number[]} values
 * @param {number} share 0.5 is the middle
 */
export function percentile(values, share) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/**
 * @param {readonly Rate[]} rounds
 * @returns {Rates}
 */
function middle(rounds) {
  const of = (/** @type {(rate: Rate) => number} */ part) => percentile(rounds.map(part), 0.5);
  return {
    perSecond: of(({ perSecond }) => perSecond),
    p50Us: of(({ p50Us }) => p50Us),
    p99Us: of(({ p99Us }) => p99Us),
    cpuUs: of(({ cpuUs }) => cpuUs),
    rounds,
  };
}
