/** How costs are taken: CPU and wall time, rounds interleaved, medians. */

/**
 * What a piece of work has cost this process, all of its threads included.
 * @typedef {{ cpuUs: number, wallUs: number }} Cost
 */

/**
 * One thing to be measured beside others. `prepare` is not counted; the function that it gives is.
 * @typedef {{ name: string, prepare: () => Promise<() => Promise<unknown>>, after?: () => Promise<void> }} Side
 */

/**
 * The middle value; of an even number of values the mean of the two in the middle.
 * @param {readonly number[]} values
 */
export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}

/**
 * @param {() => Promise<unknown>} work
 * @returns {Promise<Cost>}
 */
export async function costOf(work) {
  const before = process.cpuUsage();
  const start = performance.now();
  await work();
  const wallUs = (performance.now() - start) * 1000;
  const { user, system } = process.cpuUsage(before);
  return { cpuUs: user + system, wallUs };
}

/**
 * Measures all sides once per round, one after the other, so that whatever else the machine does meets
 * all of them. The first `warmUps` rounds do not count.
 * @param {readonly Side[]} sides
 * @param {{ rounds: number, warmUps: number }} options
 * @returns {Promise<Map<string, Cost>>} medians by name
 */
export async function interleaved(sides, { rounds, warmUps }) {
  /** @type {Map<string, Cost[]>} */
  const costs = new Map(sides.map(({ name }) => [name, []]));
  for (let round = -warmUps; round < rounds; round++) {
    for (const { name, prepare, after } of sides) {
      const work = await prepare();
      sweepYoung();
      const cost = await costOf(work);
      if (round >= 0) costs.get(name)?.push(cost);
      await after?.();
    }
  }
  return new Map([...costs].map(([name, taken]) => [name, medianCost(taken)]));
}

/**
 * A cost shared out; NaN when there is none.
 * @param {number} count
 * @param {Cost | undefined} cost
 * @returns {Cost}
 */
export function costPer(count, cost) {
  return { cpuUs: (cost?.cpuUs ?? NaN) / count, wallUs: (cost?.wallUs ?? NaN) / count };
}

/**
 * The power of n by which a cost grows between two sizes: 1 is linear, 2 quadratic.
 * @param {{ n: number, cost: number }} small
 * @param {{ n: number, cost: number }} large
 */
export function growthExponent(small, large) {
  return Math.log(large.cost / small.cost) / Math.log(large.n / small.n);
}

/** Bytes of live objects on the heap, after everything dead has gone. */
export async function liveHeapBytes() {
  for (let turn = 0; turn < 3; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
    collectGarbage();
  }
  return process.memoryUsage().heapUsed;
}

/**
 * Collects what was made lately. Not everything: a full collection also throws away what the engine has learnt
 * about the code, after which a run of a thousand tasks costs three times what it costs in a process that goes on.
 */
export function sweepYoung() {
  globalThis.gc?.({ type: 'minor' });
}

/** Does nothing when Node was started without `--expose-gc`; figures are noisier then. */
function collectGarbage() {
  globalThis.gc?.();
}

/**
 * Two decimals are more than these figures are worth.
 * @param {number} value
 */
export function rounded(value) {
  return Math.round(value * 100) / 100;
}

/**
 * @param {readonly Cost[]} costs
 * @returns {Cost}
 */
function medianCost(costs) {
  return {
    cpuUs: median(costs.map(({ cpuUs }) => cpuUs)),
    wallUs: median(costs.map(({ wallUs }) => wallUs)),
  };
}
