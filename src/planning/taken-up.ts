import type { Need, TaskSpec } from '../workflow/model.ts';
import { filePattern } from '../workflow/file-patterns.ts';
import { references } from '../workflow/template.ts';
import type { TaskGraph } from './graph.ts';
import { patternsOverlap } from './key-patterns.ts';

/** Without `with` a task gets the results of all its needs; what was generated says itself what it takes. */
export function usesOwnInput(task: TaskSpec): boolean {
  return task.with !== undefined && !task.generated && task.validates === undefined;
}

/** What the task's templates name: `tasks.a`, `groups.b`. */
export function namedIn(task: TaskSpec): Set<string> {
  return new Set(
    templatesOf(task).flatMap((template) =>
      references(template).map(({ root, path }) => `${root}.${path[0] ?? ''}`),
    ),
  );
}

/** Whether a task leaves another something in memory or in files. */
export function leavesSomething(source: TaskSpec, reader: TaskSpec): boolean {
  const { writes, files } = source;
  if (writes.length > 0) {
    const read = [...reader.reads, ...memoryNamed(reader)];
    if (writes.some((key) => read.some((one) => patternsOverlap(one, key)))) return true;
  }
  if (!files || files.writes.length === 0) return false;
  const touched = [...(reader.files?.reads ?? []), ...(reader.files?.writes ?? [])].map(
    filePattern,
  );
  return files.writes.some((path) =>
    touched.some((pattern) => patternsOverlap(pattern, filePattern(path))),
  );
}

/**
 * Whether a task can do without a need: neither it nor any task behind it would then no longer wait for
 * something that it takes up, be it by name, in memory or in files. Linear in the graph but for the pairs that
 * only this need orders.
 */
export function canDrop(graph: TaskGraph, task: TaskSpec, need: Need): boolean {
  if (!usesOwnInput(task)) return false;
  const [from, to] = [graph.indexOf.get(need.on), graph.indexOf.get(task.id)];
  if (from === undefined || to === undefined) return false;
  const sources = reached(from, graph.predecessors);
  for (const reader of reached(to, graph.successors)) {
    const spec = graph.nodes[reader]?.task;
    if (!spec) continue;
    const still = reached(reader, graph.predecessors, [from, to]);
    const lost = [...sources].filter((source) => !still.has(source));
    if (takesAny(graph, spec, lost)) return false;
  }
  return true;
}

function takesAny(graph: TaskGraph, reader: TaskSpec, sources: readonly number[]): boolean {
  const named = namedIn(reader);
  // Without an input of its own a task takes what its needs give; those of others than the asked one stay.
  return sources.some((source) => {
    const node = graph.nodes[source];
    if (!node) return false;
    if (named.has(`${node.group ? 'group' : 'task'}s.${node.id}`)) return true;
    return node.task !== undefined && leavesSomething(node.task, reader);
  });
}

/** A node and all that lead from it, without the one edge that is left out, as from and to. */
function reached(
  start: number,
  next: readonly (readonly number[])[],
  without?: readonly [from: number, to: number],
): Set<number> {
  const found = new Set([start]);
  for (const node of found) {
    for (const other of next[node] ?? [])
      if (node !== without?.[1] || other !== without[0]) found.add(other);
  }
  return found;
}

function templatesOf({ with: input, when, expand }: TaskSpec) {
  const of = expand && 'of' in expand ? expand.of : null;
  const aspects = expand?.kind === 'aspects' ? expand.aspects.map((aspect) => aspect.with) : [];
  return [input, when, of, ...aspects].map((template) => template ?? null);
}

/** Keys that templates name. */
function memoryNamed(task: TaskSpec): string[] {
  return templatesOf(task).flatMap((template) =>
    references(template)
      .filter(({ root }) => root === 'memory')
      .map(({ path }) => path.join('.')),
  );
}
