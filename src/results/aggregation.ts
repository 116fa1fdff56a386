import { canonicalJson } from '../core/canonical.ts';
import { TroupeError } from '../core/errors.ts';
import type { Plain } from '../core/plain.ts';
import type { AggregateSpec } from '../workflow/model.ts';
import { asList, distinct } from './content.ts';

/** Share of the members that must name an item when the document does not say. */
const defaultThreshold = 0.4;

/**
 * One result made from the outputs of a group's members, in member order. A gap is null; only `list`, the
 * default, shows it. A member that gave something else than a list counts as a list of one.
 *
 * - `list`: one slot per member, never shifted.
 * - `concat`: all items. `union`: every item once, in order of first appearance. `intersection`: the items
 *   that all members have, in the order of the first.
 * - `majority`: the most frequent whole output; of equally frequent ones the earliest; null without any.
 * - `frequency`: `{ item, frequency }` of each item that at least the share `threshold` (default 0.4) of the
 *   members name, most frequent first, then by first appearance.
 *
 * Items and outputs are compared by content.
 * @throws TroupeError TRP_INTERNAL for `function`, which is not carried out here.
 */
export function aggregate(
  spec: AggregateSpec | undefined,
  outputs: readonly (Plain | null)[],
): Plain {
  const given = outputs.filter((output) => output !== null);
  switch (spec?.kind ?? 'list') {
    case 'list':
      return [...outputs];
    case 'concat':
      return given.flatMap(asList);
    case 'union':
      return [...distinct(given.flatMap(asList)).values()];
    case 'intersection':
      return intersection(given);
    case 'majority':
      return majority(given);
    case 'frequency':
      return frequency(given, spec?.threshold ?? defaultThreshold);
    case 'function':
      throw new TroupeError(
        'TRP_INTERNAL',
        'A function that aggregates is carried out by its agent, not here.',
      );
  }
}

function intersection(outputs: readonly Plain[]): Plain {
  const [first = [], ...rest] = outputs;
  const others = rest.map((output) => new Set(asList(output).map(canonicalJson)));
  const common = [...distinct(asList(first))].filter(([text]) =>
    others.every((other) => other.has(text)),
  );
  return common.map(([, item]) => item);
}

function majority(outputs: readonly Plain[]): Plain {
  return counted(outputs)[0]?.item ?? null;
}

function frequency(outputs: readonly Plain[], threshold: number): Plain {
  // A member that repeats an item names it once.
  const named = outputs.flatMap((output) => [...distinct(asList(output)).values()]);
  // 0.07 * 100 is 7.000000000000001: without the allowance a share would ask for one member too many.
  const least = threshold * outputs.length - 1e-9;
  const common = counted(named).filter(({ count }) => count >= least);
  return common.map(({ item, count }) => ({ item, frequency: count / outputs.length }));
}

/** Items with how often each occurs, most frequent first, then in order of first appearance. */
function counted(items: readonly Plain[]): { item: Plain; count: number }[] {
  const counts = new Map<string, { item: Plain; count: number }>();
  for (const item of items) {
    const text = canonicalJson(item);
    const entry = counts.get(text) ?? { item, count: 0 };
    entry.count++;
    counts.set(text, entry);
  }
  return [...counts.values()].sort((a, b) => b.count - a.count);
}
