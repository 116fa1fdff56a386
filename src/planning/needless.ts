import type { GroupSpec, Need, TaskSpec } from '../workflow/model.ts';
import { roundingMs } from './bounds.ts';
import type { Finding, Planned } from './finding.ts';
import { readableMs } from './readable.ts';
import { leavesSomething, namedIn, usesOwnInput } from './taken-up.ts';
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
