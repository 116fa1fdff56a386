/** The floor: the same work with promises and nothing else. */

/**
 * n calls, `width` at one time; a width of 1 is a chain.
 * @param {{ n: number, width: number, work: (index: number) => unknown }} job
 */
export async function runLanes({ n, width, work }) {
  let next = 0;
  const lane = async () => {
    while (next < n) await work(next++);
  };
  await Promise.all(Array.from({ length: Math.min(width, n) }, lane));
}

/**
 * Every step as soon as the last of its needs has ended.
 * @param {readonly { id: string, ms: number, needs: readonly string[] }[]} steps each after its needs
 * @param {(ms: number) => Promise<unknown>} work
 */
export async function runSteps(steps, work) {
  /** @type {Map<string, Promise<unknown>>} */
  const ends = new Map();
  for (const { id, ms, needs } of steps) {
    const ready = Promise.all(needs.map(async (need) => ends.get(need)));
    ends.set(
      id,
      ready.then(() => work(ms)),
    );
  }
  await Promise.all(ends.values());
}
