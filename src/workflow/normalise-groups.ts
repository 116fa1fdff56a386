import type { Draft, GroupDraft, GroupSource, TaskDraft } from './draft.ts';
import type { DocumentPath } from './fault.ts';
import type { BarrierSpec } from './model.ts';
import {
  aggregateSpec,
  barrierSpec,
  durationMs,
  retrySpec,
  estimateSpec,
} from './normalise-policies.ts';
import { groupRestart } from './normalise-restart.ts';
import { simulatedTime } from './simulated-time.ts';

/** Priority of a group's member that says none. */
const memberPriority = 7;

/** Priority of a generated validation. */
const validationPriority = 5;

/** The groups of the document. */
export function normaliseGroups(draft: Draft): void {
  for (const [id, source] of Object.entries(draft.document.groups ?? {})) {
    const path = ['groups', id];
    addGroup({ ...plainGroup(id, source, draft), members: source.tasks }, draft, {
      path,
      membersAt: 'tasks',
    });
  }
}

function plainGroup(id: string, source: GroupSource, { document }: Draft): GroupDraft {
  const restart = groupRestart(source);
  return {
    id,
    members: source.tasks,
    mode: source.mode ?? 'fork_join',
    barrier: barrierSpec(source.barrier, {
      fallback: document.barrier_synchronization,
      late: source.late,
    }),
    aggregate: aggregateSpec(source.aggregate),
    critical: source.critical ?? true,
    validators: [],
    tier: undefined,
    ...(restart && { restart }),
  };
}

/** Where a group and its members are written. */
export interface GroupPlace {
  readonly path: DocumentPath;
  /** Key of the list of members below it. */
  readonly membersAt: 'tasks' | 'workers';
}

/** Adds a group and tells its members; a fault for a member that is unknown or already taken. */
export function addGroup(group: GroupDraft, draft: Draft, place: GroupPlace): void {
  const { groups, tasks, faults } = draft;
  if (tasks.has(group.id) || groups.has(group.id)) {
    const message = `"${group.id}" names two things; tasks and groups share one set of names`;
    faults.add('TRP_WORKFLOW_INVALID', message, {
      path: place.path,
      point: 'key',
      hint: 'Rename one of them.',
    });
    return;
  }
  const members = group.members.filter((id) => joins(id, group, { draft, place }));
  const inOrder = members.map((id) => tasks.get(id) as TaskDraft).sort((a, b) => a.index - b.index);
  const barrier = weighed(group.barrier, inOrder);
  groups.set(group.id, { ...group, barrier, members: inOrder.map(({ id }) => id) });
}

/** The barrier with what its members weigh by themselves; what it says of a member itself counts. */
function weighed(barrier: BarrierSpec, members: readonly TaskDraft[]): BarrierSpec {
  const own = members.flatMap(({ id, weight }) =>
    weight === undefined ? [] : [[id, weight] as const],
  );
  if (own.length === 0) return barrier;
  return { ...barrier, weights: { ...Object.fromEntries(own), ...barrier.weights } };
}

interface Joining {
  readonly draft: Draft;
  readonly place: GroupPlace;
}

function joins(id: string, group: GroupDraft, { draft, place }: Joining): boolean {
  const { tasks, faults } = draft;
  const task = tasks.get(id);
  // Looking the place up is linear in the group, so it is done for faults only.
  const path = (): DocumentPath => [...place.path, place.membersAt, sourceIndex(id, draft, place)];
  if (!task) {
    const hint = faults.suggestOrList(id, tasks, 'Tasks');
    if (!faults.isMuted(['tasks', id]))
      faults.add('TRP_WORKFLOW_UNKNOWN_REF', `there is no task "${id}"`, { path: path(), hint });
    draft.unsure.add(group.id);
    return false;
  }
  if (task.group !== undefined) {
    const message =
      task.group === group.id
        ? `task "${id}" stands twice`
        : `task "${id}" is already in group "${task.group}"`;
    faults.add('TRP_WORKFLOW_INVALID', message, {
      path: path(),
      hint: 'A task is in one group at most.',
    });
    return false;
  }
  task.group = group.id;
  if (!task.prioritySet) task.priority = memberPriority;
  return true;
}

/** The last place of the member in its list: the second one when it stands twice. */
function sourceIndex(id: string, { document }: Draft, place: GroupPlace): number {
  const [section, key] = place.path;
  if (section === 'tiers') return document.tiers?.[Number(key)]?.workers.lastIndexOf(id) ?? 0;
  return document.groups?.[String(key)]?.tasks.lastIndexOf(id) ?? 0;
}

/** The checks that `cross_validation` asks for: every listed agent looks at the members of the others. */
export function addCrossValidation(draft: Draft): void {
  for (const [id, { cross_validation: source }] of Object.entries(draft.document.groups ?? {})) {
    const group = draft.groups.get(id);
    if (!group || !source || source.enabled === false) continue;
    const agents = source.agents.filter((agent, index) =>
      isKnown(agent, ['groups', id, 'cross_validation', 'agents', index], draft),
    );
    const made = group.members.flatMap((member) =>
      validatorsOf(member, { source, agents, draft, group: id }),
    );
    group.validators = made.map((task) => task.id);
  }
}

function isKnown(agent: string, path: DocumentPath, { agents, faults }: Draft): boolean {
  if (agents.has(agent)) return true;
  if (faults.isMuted(['agents', agent])) return false;
  faults.add('TRP_WORKFLOW_UNKNOWN_REF', `there is no agent "${agent}"`, {
    path,
    hint: faults.suggestOrList(agent, agents, 'Agents'),
  });
  return false;
}

interface CrossValidation {
  readonly source: NonNullable<GroupSource['cross_validation']>;
  readonly agents: readonly string[];
  readonly draft: Draft;
  readonly group: string;
}

function validatorsOf(memberId: string, check: CrossValidation): readonly TaskDraft[] {
  const member = check.draft.tasks.get(memberId);
  if (!member) return [];
  const others = new Set(check.agents.filter((agent) => agent !== member.agent));
  return [...others].map((agent) => {
    const task = validatorTask(member, agent, check);
    check.draft.tasks.set(task.id, task);
    check.draft.places.set(task.id, ['groups', check.group, 'cross_validation']);
    member.needs.push({ on: task.id, target: 'task', kind: 'validation' });
    return task;
  });
}

function validatorTask(
  member: TaskDraft,
  agent: string,
  { source, draft }: CrossValidation,
): TaskDraft {
  const { defaults = {} } = draft.document;
  return {
    id: `${member.id}@${agent}`,
    agent,
    index: draft.tasks.size,
    needs: [{ on: member.id, target: 'task', kind: 'data' }],
    demand: {},
    reads: [],
    writes: [],
    with: { task: member.id, output: `\${tasks.${member.id}.output}` },
    when: undefined,
    priority: source.priority ?? validationPriority,
    prioritySet: source.priority !== undefined,
    estimate: estimateSpec(defaults.estimate) ?? simulatedTime(draft.agents.get(agent), undefined),
    timeoutMs: durationMs(source.timeout ?? defaults.timeout),
    deadlineMs: undefined,
    retry: retrySpec(defaults.retry),
    default: undefined,
    group: undefined,
    expand: undefined,
    aggregate: undefined,
    barrier: undefined,
    validates: member.id,
    maxRounds: 0,
    generated: true,
  };
}
