import { filePattern } from '../workflow/file-patterns.ts';
import { exclusionIn } from './exclusion.ts';
import type { Finding, Planned } from './finding.ts';
import { patternIndex } from './key-patterns.ts';
import { pairName, unorderedAmong } from './pairs.ts';

interface Use {
  readonly task: string;
  readonly path: string;
  readonly writes: boolean;
}

/** Tasks that may run together and touch one file, at least one of them writing. */
export function findFileConflicts({ graph }: Planned): Finding[] {
  const uses = usesIn(graph.workflow.tasks);
  if (uses.size === 0) return [];
  const meetings = meetingsOf(uses);
  const open = unorderedAmong(
    graph,
    meetings.map(([one, other]) => [one.task, other.task]),
  );
  const excluded = exclusionIn(graph.workflow);
  const told = new Set<string>();
  return meetings.flatMap(([one, other]): Finding[] => {
    const name = pairName(one.task, other.task);
    if (!open.has(name) || told.size === told.add(name).size) return [];
    const tasks = [one.task, other.task].map(
      (id) => graph.nodes[graph.indexOf.get(id) ?? -1]?.task,
    );
    const [first, second] = tasks;
    if (!first || !second || excluded(first, second) !== undefined) return [];
    const detail = `${one.task} ${verb(one)} ${one.path} and ${other.task} ${verb(other)} ${other.path}, and nothing keeps them apart`;
    return [
      {
        kind: 'file_conflict',
        tasks: [one.task, other.task],
        detail,
        certain: true,
        saves_ms: null,
      },
    ];
  });
}

function verb({ writes }: Use): string {
  return writes ? 'writes' : 'reads';
}

function usesIn(tasks: Planned['graph']['workflow']['tasks']): Map<string, Use[]> {
  const uses = new Map<string, Use[]>();
  for (const { id, files } of tasks) {
    for (const mode of ['writes', 'reads'] as const) {
      for (const path of files?.[mode] ?? []) {
        const pattern = filePattern(path);
        const use = { task: id, path, writes: mode === 'writes' };
        uses.set(pattern, [...(uses.get(pattern) ?? []), use]);
      }
    }
  }
  return uses;
}

function meetingsOf(uses: ReadonlyMap<string, readonly Use[]>): (readonly [Use, Use])[] {
  const index = patternIndex(uses.keys());
  return [...uses].flatMap(([pattern, own]) => {
    const others = index.overlapping(pattern).flatMap((other) => uses.get(other) ?? []);
    return own
      .filter(({ writes }) => writes)
      .flatMap((one) =>
        others.filter(({ task }) => task !== one.task).map((other) => [one, other] as const),
      );
  });
}
