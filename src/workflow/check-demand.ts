import { placeOf } from './draft.ts';
import type { Draft, GroupDraft, TaskDraft } from './draft.ts';
import type { DocumentPath } from './fault.ts';
import type { BarrierSpec, ResourceSpec } from './model.ts';

/** Finds what can never be met: more successes than members, more units than there are. */
export function checkDemand(draft: Draft, resources: ResourceSpec): void {
  for (const group of draft.groups.values()) checkGroup(group, draft);
  for (const task of draft.tasks.values()) {
    checkUnits(task, draft, resources);
    if (task.barrier) checkMembers(task, draft);
  }
  checkUnused(draft);
}

function checkGroup(group: GroupDraft, draft: Draft): void {
  const path = [...placeOf(draft, group.id), 'barrier'];
  const isWhole = !draft.unsure.has(group.id);
  if (isWhole) checkCounts(group.barrier, group.members.length, { draft, path });
  for (const [index, id] of group.barrier.required.entries()) {
    if (group.members.includes(id) || (!isWhole && !draft.tasks.has(id))) continue;
    const hint = draft.faults.suggest(id, group.members) ?? `Members: ${group.members.join(', ')}.`;
    draft.faults.add('TRP_WORKFLOW_UNKNOWN_REF', `"${id}" is not a member`, {
      path: [...path, 'required', index],
      hint,
    });
  }
}

function checkMembers(task: TaskDraft, draft: Draft): void {
  const { expand, barrier } = task;
  if (!expand || !barrier) return;
  const count =
    expand.kind === 'aspects'
      ? expand.aspects.length
      : expand.kind === 'shards'
        ? expand.count
        : undefined;
  if (count !== undefined)
    checkCounts(barrier, count, { draft, path: ['tasks', task.id, 'barrier'] });
}

interface Place {
  readonly draft: Draft;
  readonly path: DocumentPath;
}

function checkCounts(
  { expected, minSuccess, quorum }: BarrierSpec,
  members: number,
  { draft, path }: Place,
): void {
  const most = Math.min(expected ?? members, members);
  // A quorum that cannot be is told where it stands.
  const isQuorum = quorum && 'count' in quorum && quorum.count > members;
  if (expected !== undefined && expected > members) {
    draft.faults.add(
      'TRP_WORKFLOW_UNSATISFIABLE',
      `expected: ${expected} arrivals of ${members} members`,
      [...path, 'expected'],
    );
  } else if ('count' in minSuccess && minSuccess.count > most && !isQuorum) {
    draft.faults.add('TRP_WORKFLOW_UNSATISFIABLE', `min_success: ${minSuccess.count} of ${most}`, [
      ...path,
      'min_success',
    ]);
  }
}

function checkUnits(task: TaskDraft, draft: Draft, { capacity }: ResourceSpec): void {
  for (const [kind, units] of Object.entries(task.demand)) {
    const there = Object.hasOwn(capacity, kind) ? (capacity[kind] ?? 1) : 1;
    if (units <= there) continue;
    const hint = Object.hasOwn(capacity, kind)
      ? undefined
      : `Add resources: {${kind}: ${units}}; a kind that is not listed has one unit.`;
    const path = [
      'tasks',
      task.id,
      ...(draft.document.tasks[task.id]?.resources?.[kind] === undefined
        ? ['needs']
        : ['resources', kind]),
    ];
    draft.faults.add(
      'TRP_WORKFLOW_UNSATISFIABLE',
      `"${task.id}" demands ${units} units of ${kind}; there are ${there}`,
      { path, hint },
    );
  }
}

const knownKinds: ReadonlySet<string> = new Set([
  'concurrency',
  'cpu',
  'memory',
  'cpu_oversubscription',
  'memory_strict',
  'allocation_strategy',
  'context_queuing',
  'context_store',
]);

/** A misspelled limit looks like a resource that nobody wants. */
function checkUnused({ document, tasks, faults }: Draft): void {
  const named = Object.keys(document.resources ?? {}).filter((kind) => !knownKinds.has(kind));
  if (named.length === 0 || faults.isMuted(['tasks'])) return;
  const demanded = new Set([...tasks.values()].flatMap(({ demand }) => Object.keys(demand)));
  for (const kind of named.filter((name) => !demanded.has(name))) {
    const hint =
      faults.suggest(kind, [...knownKinds, ...demanded]) ?? 'Remove it, or let a task demand it.';
    faults.warn('TRP_WORKFLOW_UNKNOWN_KEY', `no task demands the resource "${kind}"`, {
      path: ['resources', kind],
      point: 'key',
      hint,
    });
  }
}
