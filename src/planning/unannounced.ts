import type { Finding, Planned } from './finding.ts';
import { patternIndex } from './key-patterns.ts';
import { pairName, unorderedAmong } from './pairs.ts';

/**
 * Tasks that read a memory key that another task writes while no path orders the two: a dependency of kind context,
 * as the reader works with what is there, unless the author forgot the need.
 */
export function unannouncedReads({ graph }: Planned): Finding[] {
  const { tasks } = graph.workflow;
  const writers = new Map<string, string[]>();
  for (const { id, writes } of tasks)
    for (const key of new Set(writes)) writers.set(key, [...(writers.get(key) ?? []), id]);
  if (writers.size === 0) return [];
  const index = patternIndex(writers.keys());
  const reads = tasks.flatMap(({ id, reads: keys, needs }) =>
    keys.flatMap((key) =>
      index
        .overlapping(key)
        .flatMap((pattern) => writers.get(pattern) ?? [])
        .filter((writer) => writer !== id && !needs.some(({ on }) => on === writer))
        .map((writer) => ({ reader: id, writer, key })),
    ),
  );
  const open = unorderedAmong(
    graph,
    reads.map(({ reader, writer }) => [reader, writer]),
  );
  return reads
    .filter(({ reader, writer }) => open.has(pairName(reader, writer)))
    .map(({ reader, writer, key }) => ({
      kind: 'unannounced_read',
      tasks: [writer, reader],
      detail: `${reader} reads ${key}, which ${writer} writes, and takes what is there: let it need ${writer} if it is to wait`,
      certain: true,
      saves_ms: null,
    }));
}
