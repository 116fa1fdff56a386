import { byText } from './context.mjs';

/**
 * Strongly connected parts of a graph (Tarjan, "Depth-first search and linear graph algorithms",
 * 1972), without recursion, so that a long chain of imports does not overflow the stack.
 *
 * @param {ReadonlyMap<string, readonly string[]>} edges
 * @returns {string[][]} Parts with more than one node, or a node that points at itself; sorted.
 */
export function cyclesOf(edges) {
  /** @type {Search} */
  const search = {
    edges,
    order: new Map(),
    low: new Map(),
    path: [],
    onPath: new Set(),
    work: [],
    parts: [],
  };
  for (const node of [...edges.keys()].sort(byText))
    if (!search.order.has(node)) explore(search, node);
  return search.parts
    .filter((part) => isCycle(part, edges))
    .sort((a, b) => b.length - a.length || byText(a[0] ?? '', b[0] ?? ''));
}

/**
 * @typedef {object} Search
 * @property {ReadonlyMap<string, readonly string[]>} edges
 * @property {Map<string, number>} order
 * @property {Map<string, number>} low
 * @property {string[]} path
 * @property {Set<string>} onPath
 * @property {{ node: string, next: number }[]} work
 * @property {string[][]} parts
 */

/**
 * @param {Search} search
 * @param {string} start
 */
function explore(search, start) {
  enter(search, start);
  for (let frame = search.work.at(-1); frame !== undefined; frame = search.work.at(-1)) {
    const next = search.edges.get(frame.node)?.[frame.next];
    frame.next += 1;
    if (next === undefined) leave(search, frame.node);
    else visit(search, frame.node, next);
  }
}

/**
 * @param {Search} search
 * @param {string} node
 */
function enter(search, node) {
  search.order.set(node, search.order.size);
  search.low.set(node, search.order.size - 1);
  search.path.push(node);
  search.onPath.add(node);
  search.work.push({ node, next: 0 });
}

/**
 * @param {Search} search
 * @param {string} from
 * @param {string} to
 */
function visit(search, from, to) {
  const seen = search.order.get(to);
  if (seen === undefined) enter(search, to);
  else if (search.onPath.has(to)) lower(search, from, seen);
}

/**
 * @param {Search} search
 * @param {string} node
 */
function leave(search, node) {
  search.work.pop();
  const low = search.low.get(node) ?? 0;
  const parent = search.work.at(-1);
  if (parent !== undefined) lower(search, parent.node, low);
  if (low !== search.order.get(node)) return;
  const part = search.path.splice(search.path.lastIndexOf(node));
  for (const member of part) search.onPath.delete(member);
  search.parts.push(part.sort(byText));
}

/**
 * @param {Search} search
 * @param {string} node
 * @param {number} value
 */
function lower(search, node, value) {
  search.low.set(node, Math.min(search.low.get(node) ?? value, value));
}

/**
 * @param {readonly string[]} part
 * @param {ReadonlyMap<string, readonly string[]>} edges
 */
function isCycle(part, edges) {
  const [only] = part;
  return part.length > 1 || (only !== undefined && (edges.get(only) ?? []).includes(only));
}

/**
 * The shortest way around a cycle, from its first member back to it.
 *
 * @param {readonly string[]} part
 * @param {ReadonlyMap<string, readonly string[]>} edges
 */
export function shortestLoop(part, edges) {
  const [start = ''] = part;
  const inside = new Set(part);
  /** @type {Map<string, string>} */
  const from = new Map();
  const queue = [start];
  for (let node = queue.shift(); node !== undefined && !from.has(start); node = queue.shift()) {
    for (const next of edges.get(node) ?? []) {
      if (!inside.has(next) || from.has(next)) continue;
      from.set(next, node);
      queue.push(next);
    }
  }
  const loop = [start];
  for (let node = from.get(start); node !== undefined && node !== start; node = from.get(node))
    loop.unshift(node);
  return [start, ...loop];
}
