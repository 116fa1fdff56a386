import type { TaskGraph } from './graph.ts';
import { reaches } from './reach.ts';

/** Pairs that are looked at for one list: a document with more has been told enough. */
const maxPairs = 20_000;

/** The pairs of tasks, by id, that no path orders in either direction; at most some thousands are looked at. */
export function unorderedAmong(
  graph: TaskGraph,
  pairs: readonly (readonly [string, string])[],
): Set<string> {
  const wanted = new Map<number, { readonly other: number; readonly name: string }[]>();
  const open = new Set<string>();
  for (const [one, other] of pairs.slice(0, maxPairs)) {
    const [from, to] = [graph.indexOf.get(one) ?? -1, graph.indexOf.get(other) ?? -1];
    const name = pairName(one, other);
    if (open.size === open.add(name).size) continue;
    push(wanted, from, { other: to, name });
    push(wanted, to, { other: from, name });
  }
  for (const { source, leadsTo } of reaches(graph, [...wanted.keys()])) {
    for (const { other, name } of wanted.get(source) ?? []) if (leadsTo(other)) open.delete(name);
  }
  return open;
}

/** One name for two ids, whichever comes first. */
export function pairName(one: string, other: string): string {
  return one < other ? `${one}\n${other}` : `${other}\n${one}`;
}

function push<T>(lists: Map<number, T[]>, key: number, item: T): void {
  const list = lists.get(key);
  if (list) list.push(item);
  else lists.set(key, [item]);
}
