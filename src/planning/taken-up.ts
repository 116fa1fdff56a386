import type { Need, TaskSpec } from '../workflow/model.ts';
import { filePattern } from '../workflow/file-patterns.ts';
import { references } from '../workflow/template.ts';
import type { TaskGraph } from './graph.ts';
import { patternIndex, patternsOverlap } from './key-patterns.ts';

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

/** Per node, the nodes whose results it takes up, by name, in memory or in files. */
export function usesIn(graph: TaskGraph): readonly ReadonlySet<number>[] {
  const writers = new Map<string, number[]>();
  for (const { task, index } of graph.nodes)
    for (const key of new Set([...(task?.writes ?? []), ...(task?.files?.writes ?? []).map(asKey)]))
      writers.set(key, [...(writers.get(key) ?? []), index]);
  const keys = patternIndex(writers.keys());
  return graph.nodes.map(({ task }) => {
    if (!task) return new Set<number>();
    const { files } = task;
    const touched = [...(files?.reads ?? []), ...(files?.writes ?? [])].map(asKey);
    const left = [...task.reads, ...memoryNamed(task), ...touched].flatMap((key) =>
      keys.overlapping(key).flatMap((written) => writers.get(written) ?? []),
    );
    const named = [...namedIn(task)].flatMap(
      (name) => graph.indexOf.get(name.slice(name.indexOf('.') + 1)) ?? [],
    );
    return new Set([...named, ...left]);
  });
}

/** Files among the keys of memory, apart from them. */
function asKey(path: string): string {
  return `file:.${filePattern(path)}`;
}

/**
 * Whether a task can do without a need: neither it nor any task behind it would then no longer wait for
 * something that it takes up (see {@link usesIn}).
 */
export function canDrop(
  { graph, uses }: { readonly graph: TaskGraph; readonly uses: ReturnType<typeof usesIn> },
  task: TaskSpec,
  need: Need,
): boolean {
  if (!usesOwnInput(task)) return false;
  const [from, to] = [graph.indexOf.get(need.on), graph.indexOf.get(task.id)];
  if (from === undefined || to === undefined) return false;
  const sources = reached(from, graph.predecessors);
  for (const reader of reached(to, graph.successors)) {
    const used = [...(uses[reader] ?? [])].filter((source) => sources.has(source));
    if (used.length === 0) continue;
    const still = reached(reader, graph.predecessors, [from, to]);
    if (used.some((source) => !still.has(source))) return false;
  }
  return true;
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
