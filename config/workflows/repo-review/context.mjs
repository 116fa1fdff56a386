/**
 * What every agent of this review shares: how it reads its input, says how far it is and stops.
 *
 * @typedef {import('../../../src/actors/behaviours/behaviour.ts').TaskContext} TaskContext
 * @typedef {import('../../../src/core/plain.ts').Plain} Plain
 */

/**
 * The task's input under the type that the caller declares for it. The shape is what the `with:`
 * block of repo-review.yaml puts together, so it is trusted here.
 *
 * @template T
 * @param {TaskContext} ctx
 * @returns {T}
 */
export function inputOf(ctx) {
  return /** @type {T} */ (/** @type {unknown} */ (ctx.input));
}

/**
 * A number from the agent's `with:` block.
 *
 * @param {TaskContext} ctx
 * @param {string} name
 * @param {number} fallback
 */
export function setting(ctx, name, fallback) {
  const value = ctx.config[name];
  return typeof value === 'number' && Number.isFinite(value) ? value : fallback;
}

/**
 * Walks over items one after another, tells progress and stops at once when the attempt is cancelled.
 *
 * @template T
 * @param {TaskContext} ctx
 * @param {readonly T[]} items
 * @param {(item: T, index: number) => Promise<void> | void} visit
 */
export async function eachItem(ctx, items, visit) {
  for (const [index, item] of items.entries()) {
    ctx.signal.throwIfAborted();
    if (index % 50 === 0)
      ctx.progress({ fraction: index / items.length, message: `${index}/${items.length}` });
    await visit(item, index);
  }
}

/**
 * An error that no retry can mend: the run says so at once instead of trying three times.
 *
 * @param {string} message
 */
export function permanent(message) {
  return Object.assign(new Error(message), { errorClass: 'permanent' });
}

/**
 * Compares strings by code unit: the same order on every machine, whatever its locale.
 *
 * @param {string} a
 * @param {string} b
 */
export function byText(a, b) {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/**
 * Rounds to a few digits, so that reports stay readable and equal.
 *
 * @param {number} value
 * @param {number} [digits]
 */
export function rounded(value, digits = 1) {
  const factor = 10 ** digits;
  return Math.round(value * factor) / factor;
}

/**
 * The text of anything that was thrown.
 *
 * @param {unknown} thrown
 */
export function messageOf(thrown) {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
