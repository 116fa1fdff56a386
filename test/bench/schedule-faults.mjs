/**
 * What is wrong with a schedule, by the instance and nothing else: it knows neither the planner nor a workflow.
 *
 * @typedef {{ id: string, duration: number, deps: readonly string[], resources: Readonly<Record<string, number>> }} Job
 * @typedef {{ name: string, tasks: readonly Job[], capacity: Readonly<Record<string, number>> }} Instance
 * @typedef {{ id: string, start: number, finish: number }} Span
 */

/** Sums of times may differ in their last digits. */
const rounding = 1e-6;

/**
 * @param {Instance} instance
 * @param {readonly Span[]} spans one for each task
 * @returns {string[]} empty when every task runs once, as long as it takes, after its deps, within the capacity
 */
export function scheduleFaults({ tasks, capacity }, spans) {
  const byId = new Map(spans.map((span) => [span.id, span]));
  const faults = byId.size === tasks.length ? [] : [`${byId.size} of ${tasks.length} tasks`];
  for (const { id, duration, deps } of tasks) {
    const { start, finish } = byId.get(id) ?? { start: NaN, finish: NaN };
    if (!(start >= 0) || Math.abs(finish - start - duration) > rounding) {
      faults.push(`${id} takes ${finish - start} instead of ${duration}`);
    }
    for (const dep of deps) {
      if (!((byId.get(dep)?.finish ?? NaN) <= start + rounding)) {
        faults.push(`${id} starts before ${dep} ends`);
      }
    }
  }
  return [...faults, ...overloads({ tasks, capacity }, byId)];
}

/**
 * @param {Pick<Instance, 'tasks' | 'capacity'>} instance
 * @param {ReadonlyMap<string, Span>} byId
 */
function overloads({ tasks, capacity }, byId) {
  /** @type {{ at: number, kind: string, units: number }[]} */
  const changes = [];
  for (const { id, duration, resources } of tasks) {
    const span = byId.get(id);
    if (!span || duration === 0) continue;
    for (const [kind, units] of Object.entries(resources)) {
      changes.push({ at: span.start, kind, units });
      changes.push({ at: span.finish, kind, units: -units });
    }
  }
  // At one time, what is given back comes first.
  changes.sort((a, b) => (Math.abs(a.at - b.at) > rounding ? a.at - b.at : a.units - b.units));
  /** @type {Record<string, number>} */
  const used = {};
  const faults = [];
  for (const { at, kind, units } of changes) {
    used[kind] = (used[kind] ?? 0) + units;
    const most = capacity[kind] ?? 1;
    if (used[kind] > most + rounding) faults.push(`${used[kind]} of ${most} ${kind} at ${at}`);
  }
  return faults;
}
