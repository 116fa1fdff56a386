/** How long acts took that were carried out one after the other in several lanes. */

/** @typedef {{ perSecond: number, p50Us: number, p99Us: number }} Rate */

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
  const start = performance.now();
  await Promise.all(Array.from({ length: lanes }, lane));
  const seconds = (performance.now() - start) / 1000;
  return { perSecond: n / seconds, p50Us: percentile(times, 0.5), p99Us: percentile(times, 0.99) };
}

/**
 * Takes the rate of every side once per round, one side after the other; the first `warmUps` rounds do not count.
 * @template {string} Name
 * @param {{ readonly [name in Name]: () => Promise<Rate> }} sides
 * @param {{ rounds: number, warmUps: number }} options
 * @returns {Promise<{ [name in Name]: Rate }>} medians over the rounds
 */
export async function ratesInTurn(sides, { rounds, warmUps }) {
  const names = /** @type {Name[]} */ (Object.keys(sides));
  /** @type {Map<Name, Rate[]>} */
  const taken = new Map(names.map((name) => [name, []]));
  for (let round = -warmUps; round < rounds; round++)
    for (const name of names) {
      const rate = await sides[name]();
      if (round >= 0) taken.get(name)?.push(rate);
    }
  const medians = names.map((name) => [name, middle(taken.get(name) ?? [])]);
  return /** @type {{ [name in Name]: Rate }} */ (Object.fromEntries(medians));
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
 * @param {readonly Rate[]} rates
 * @returns {Rate}
 */
function middle(rates) {
  const of = (/** @type {(rate: Rate) => number} */ part) => percentile(rates.map(part), 0.5);
  return {
    perSecond: of(({ perSecond }) => perSecond),
    p50Us: of(({ p50Us }) => p50Us),
    p99Us: of(({ p99Us }) => p99Us),
  };
}
