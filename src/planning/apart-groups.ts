import { exclusionIn } from './exclusion.ts';
import type { Finding, Planned } from './finding.ts';
import type { GroupSpec, Need, TaskSpec } from '../workflow/model.ts';

/** Pairs of members that are compared in one group. */
const maxPairs = 5000;

/**
 * Orders that the resources make impossible: groups that are forked together although no two of their members fit
 * together, and streams that nobody can read before their end.
 */
export function apartGroups({ graph }: Planned): Finding[] {
  const { workflow } = graph;
  const excluded = exclusionIn(workflow);
  const taskOf = (id: string): TaskSpec | undefined =>
    graph.nodes[graph.indexOf.get(id) ?? -1]?.task;
  const groups = workflow.groups.flatMap((group) => apartGroup(group, { taskOf, excluded }));
  const streams = workflow.tasks.flatMap((task) =>
    task.needs
      .filter(({ kind }) => kind === 'stream')
      .flatMap((need) => apartStream(task, need, { taskOf, excluded })),
  );
  return [...groups, ...streams];
}

interface Lookup {
  readonly taskOf: (id: string) => TaskSpec | undefined;
  readonly excluded: (one: TaskSpec, other: TaskSpec) => string | undefined;
}

function apartGroup(group: GroupSpec, { taskOf, excluded }: Lookup): Finding[] {
  const members = group.members.flatMap((id) => taskOf(id) ?? []);
  if (members.length < 2) return [];
  let left = maxPairs;
  let kind: string | undefined;
  for (const [at, one] of members.entries()) {
    for (const other of members.slice(at + 1)) {
      kind = excluded(one, other);
      if (kind === undefined || left-- <= 0) return [];
    }
  }
  const detail = `the members of ${group.id} start together by the document, but no two of them fit: ${kind ?? ''} has room for one`;
  return [
    { kind: 'contradiction', tasks: [...group.members], detail, certain: true, saves_ms: null },
  ];
}

/** A reader that may start at the first contribution, but not beside the one that contributes. */
function apartStream(task: TaskSpec, need: Need, { taskOf, excluded }: Lookup): Finding[] {
  const source = need.target === 'task' ? taskOf(need.on) : undefined;
  const kind = source?.expand ? excluded(source, task) : undefined;
  if (!source || kind === undefined) return [];
  const detail = `${task.id} reads the stream of ${source.id}, but never runs beside it: ${kind} has too few units for both`;
  return [
    { kind: 'contradiction', tasks: [source.id, task.id], detail, certain: true, saves_ms: null },
  ];
}
