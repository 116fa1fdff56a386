import type { GroupSpec, Need, TaskSpec } from '../workflow/model.ts';
import { filePattern } from '../workflow/file-patterns.ts';
import { references } from '../workflow/template.ts';
import { roundingMs } from './bounds.ts';
import type { Finding, Planned } from './finding.ts';
import { patternsOverlap } from './key-patterns.ts';
import { readableMs } from './readable.ts';
import { canAsk, makespanIf, withNeeds } from './what-if.ts';

/** Waits for which it is asked what the run would be without them. */
const maxAsked = 12;

interface Wait {
  readonly task: TaskSpec;
  readonly need: Need;
  /** For a group of which only some members are used: those. */
  readonly instead: readonly string[];
}

/**
 * Waits that nothing is gained by: a need of whose result the task takes up nothing, neither in its input or
 * condition nor in memory or files; and a need for a whole group of which only some members are taken up.
 */
export function needlessWaits(planned: Planned): Finding[] {
  const { graph } = planned;
  const tasks = new Map(graph.workflow.tasks.map((task) => [task.id, task]));
  const groups = new Map(graph.workflow.groups.map((group) => [group.id, group]));
  const waits = graph.workflow.tasks.flatMap((task) =>
    usesOwnInput(task)
      ? task.needs.flatMap((need) => waitFor(task, need, { tasks, groups }) ?? [])
      : [],
  );
  return waits.map((wait, at) => findingOf(wait, planned, at < maxAsked && canAsk(graph.workflow)));
}

/** Without `with` a task gets the results of all its needs; what was generated says itself what it takes. */
function usesOwnInput(task: TaskSpec): boolean {
  return task.with !== undefined && !task.generated && task.validates === undefined;
}

interface Names {
  readonly tasks: ReadonlyMap<string, TaskSpec>;
  readonly groups: ReadonlyMap<string, GroupSpec>;
}

function waitFor(task: TaskSpec, need: Need, { tasks, groups }: Names): Wait | undefined {
  if (need.kind !== 'data') return undefined;
  const named = namedIn(task);
  if (named.has(`${need.target}s.${need.on}`)) return undefined;
  const members = groups.get(need.on)?.members ?? [need.on];
  const used = members.filter((id) => {
    const source = tasks.get(id);
    return named.has(`tasks.${id}`) || (source !== undefined && leavesSomething(source, task));
  });
  // Whoever reads every member wants the whole group.
  if (used.length === members.length) return undefined;
  return { task, need, instead: used };
}

/** What the task's templates name: `tasks.a`, `groups.b`. */
function namedIn({ with: input, when, expand }: TaskSpec): Set<string> {
  const of = expand && 'of' in expand ? expand.of : null;
  const aspects = expand?.kind === 'aspects' ? expand.aspects.map((aspect) => aspect.with) : [];
  const templates = [input, when, of, ...aspects].map((template) => template ?? null);
  return new Set(
    templates.flatMap((template) =>
      references(template).map(({ root, path }) => `${root}.${path[0] ?? ''}`),
    ),
  );
}

/** Through memory or files. */
function leavesSomething(source: TaskSpec, reader: TaskSpec): boolean {
  const byKey = source.writes.some((key) =>
    reader.reads.some((read) => patternsOverlap(read, key)),
  );
  if (
    byKey ||
    memoryNamed(reader).some((key) => source.writes.some((write) => patternsOverlap(write, key)))
  )
    return true;
  const touched = [...(reader.files?.reads ?? []), ...(reader.files?.writes ?? [])].map(
    filePattern,
  );
  return (source.files?.writes ?? []).some((path) =>
    touched.some((pattern) => patternsOverlap(pattern, filePattern(path))),
  );
}

function memoryNamed({ with: input, when }: TaskSpec): string[] {
  return [input ?? null, when ?? null].flatMap((template) =>
    references(template)
      .filter(({ root }) => root === 'memory')
      .map(({ path }) => path.join('.')),
  );
}

function findingOf(
  { task, need, instead }: Wait,
  { graph, schedule, options }: Planned,
  ask: boolean,
): Finding {
  const changed = withNeeds(graph.workflow, task.id, (needs) => [
    ...needs.filter((one) => one !== need),
    ...instead.map((on): Need => ({ on, target: 'task', kind: 'data' })),
  ]);
  const savesMs = ask ? Math.max(0, schedule.makespanMs - makespanIf(changed, options)) : null;
  const what =
    instead.length > 0
      ? `waits for all of ${need.on}, but takes up only ${instead.join(', ')}`
      : `waits for ${need.on}, but takes up nothing of it`;
  const saved =
    savesMs !== null && savesMs > roundingMs ? `: ${readableMs(savesMs)} shorter without` : '';
  return {
    kind: 'needless_wait',
    tasks: [need.on, task.id],
    detail: `${task.id} ${what}${saved}`,
    certain: false,
    saves_ms: savesMs,
  };
}
