import type { Plain } from '../core/plain.ts';
import { addNeed, placeOf } from './draft.ts';
import { simulatedTime } from './simulated-time.ts';
import { asList } from './one-or-many.ts';
import type { Draft, TaskDraft, TaskSource } from './draft.ts';
import type { DocumentPath } from './fault.ts';
import { qualifiedKey } from './model.ts';
import type { AspectSpec, ExpandSpec, Need } from './model.ts';
import { lockDemand, lockTimeout } from './normalise-locks.ts';
import { workspaceOf } from './normalise-workspaces.ts';
import { agentOf } from './normalise-agents.ts';
import {
  aggregateSpec,
  barrierSpec,
  durationMs,
  estimateSpec,
  retrySpec,
  unitsOf,
} from './normalise-policies.ts';
import { planningKeys } from './normalise-planning.ts';
import { taskHedge } from './normalise-reliability.ts';
import { taskPool } from './normalise-pools.ts';

/** Priority of a task that says none and is in no group. */
const defaultPriority = 5;

/** The tasks of the document, without what groups, tiers and validations add. Needs follow in {@link resolveNeeds}. */
export function normaliseTasks(draft: Draft): void {
  for (const [id, source] of Object.entries(draft.document.tasks)) {
    draft.tasks.set(id, taskDraft(id, source, draft));
  }
}

function taskDraft(id: string, source: TaskSource, draft: Draft): TaskDraft {
  const { defaults = {} } = draft.document;
  const agent = agentOf(id, source, draft);
  const expand = expandSpec(id, source, draft);
  return {
    id,
    agent,
    index: draft.tasks.size,
    needs: [],
    demand: demandOf(id, source, draft),
    ...lockTimeout(source),
    ...workspaceOf(source, agent, draft),
    ...taskPool(id, source, draft),
    ...taskHedge(id, source, { draft, agent }),
    reads: source.reads ?? [],
    writes: (source.writes ?? []).map((key) => qualifiedKey(agent, key)),
    with: source.with as Plain | undefined,
    when: source.when as Plain | undefined,
    ...priorityOf(source.priority ?? defaults.priority),
    estimate:
      estimateSpec(source.estimate ?? defaults.estimate) ??
      simulatedTime(draft.agents.get(agent), source.with as Plain | undefined),
    timeoutMs: durationMs(source.timeout ?? defaults.timeout),
    deadlineMs: durationMs(source.deadline),
    ...planningKeys(source),
    ...(source.weight !== undefined && { weight: source.weight }),
    retry: retrySpec(source.retry, defaults.retry),
    default: source.default as Plain | undefined,
    group: undefined,
    expand,
    aggregate: aggregateSpec(source.aggregate),
    barrier: expand ? barrierSpec(source.barrier) : undefined,
    validates: undefined,
    maxRounds: source.max_rounds ?? 1,
    generated: false,
  };
}

function priorityOf(said: number | undefined): Pick<TaskDraft, 'priority' | 'prioritySet'> {
  return { priority: said ?? defaultPriority, prioritySet: said !== undefined };
}

function demandOf(id: string, source: TaskSource, draft: Draft): TaskDraft['demand'] {
  const demand: TaskDraft['demand'] = {};
  for (const [kind, value] of Object.entries(source.resources ?? {})) {
    if (kind !== 'concurrency') demand[kind] = unitsOf(value);
    else
      draft.faults.add('TRP_WORKFLOW_INVALID', 'concurrency: an attempt always takes one', {
        path: ['tasks', id, 'resources', kind],
        point: 'key',
      });
  }
  Object.assign(demand, lockDemand(id, source, draft));
  return demand;
}

const expandingKeys = ['shards', 'aspects', 'for_each'] as const;

function expandSpec(id: string, source: TaskSource, draft: Draft): ExpandSpec | undefined {
  const [first, second] = expandingKeys.filter((key) => source[key] !== undefined);
  const path = ['tasks', id];
  if (second !== undefined) {
    const message = `${first} and ${second} cannot stand together`;
    draft.faults.add('TRP_WORKFLOW_INVALID', message, { path: [...path, second], point: 'key' });
  }
  if (first === undefined) refuseMemberKeys(path, source, draft);
  if (source.barrier?.required?.length) {
    const message = 'required: members made at run time have no names';
    draft.faults.add('TRP_WORKFLOW_INVALID', message, {
      path: [...path, 'barrier', 'required'],
      point: 'key',
    });
  }
  if (first === 'shards') return shardsOf(source);
  if (first === 'aspects') return { kind: 'aspects', aspects: aspectSpecs(id, source, draft) };
  return first === 'for_each' ? forEachOf(source) : undefined;
}

function refuseMemberKeys(path: DocumentPath, source: TaskSource, { faults }: Draft): void {
  if (expandingKeys.some((key) => faults.isMuted([...path, key]))) return;
  for (const key of ['barrier', 'aggregate'] as const) {
    if (source[key] === undefined) continue;
    const hint = `Put it into a group, or add ${expandingKeys.join(', ')}.`;
    faults.add('TRP_WORKFLOW_INVALID', `${key}: of a task without members`, {
      path: [...path, key],
      point: 'key',
      hint,
    });
  }
}

function shardsOf({ shards }: TaskSource): ExpandSpec | undefined {
  return (
    shards && { kind: 'shards', of: shards.of as Plain, count: shards.count, size: shards.size }
  );
}

function forEachOf({ for_each: items }: TaskSource): ExpandSpec {
  return { kind: 'for_each', of: (isBlock(items) ? items.of : items) as Plain };
}

function isBlock(items: TaskSource['for_each']): items is { of: Plain } {
  return typeof items === 'object' && !Array.isArray(items);
}

function aspectSpecs(
  id: string,
  { aspects = [] }: TaskSource,
  draft: Draft,
): readonly AspectSpec[] {
  if (Array.isArray(aspects))
    return aspects.map((name) => ({ id: name, agent: undefined, with: undefined }));
  return Object.entries(aspects).map(([name, aspect]) => {
    const agent = aspect?.agent;
    if (
      agent !== undefined &&
      !draft.agents.has(agent) &&
      !draft.faults.isMuted(['agents', agent])
    ) {
      const hint = draft.faults.suggestOrList(agent, draft.agents, 'Agents');
      const message = `aspect "${name}" names an agent "${agent}" that is not defined`;
      draft.faults.add('TRP_WORKFLOW_UNKNOWN_REF', message, {
        path: ['tasks', id, 'aspects', name, 'agent'],
        hint,
      });
    }
    const weight = aspect?.weight;
    return {
      id: name,
      agent,
      with: aspect?.with as Plain | undefined,
      ...(weight !== undefined && { weight }),
    };
  });
}

/** What a need may be written as. */
type NeedSource = Exclude<NonNullable<TaskSource['needs']>, readonly unknown[]>;

/** Resolves what tasks, and groups for their members, wait for. To be called when all tasks and groups have names. */
export function resolveNeeds(draft: Draft): void {
  for (const [id, source] of Object.entries(draft.document.tasks)) {
    resolveList(source.needs, { draft, path: ['tasks', id, 'needs'], tasks: [id] });
  }
  for (const [id, source] of Object.entries(draft.document.groups ?? {})) {
    resolveList(source.needs, { draft, path: ['groups', id, 'needs'], tasks: source.tasks });
  }
}

interface NeedPlace {
  readonly draft: Draft;
  readonly path: DocumentPath;
  /** Those that wait. */
  readonly tasks: readonly string[];
}

function resolveList(needs: TaskSource['needs'], place: NeedPlace): void {
  const isList = Array.isArray(needs);
  for (const [index, need] of asList<NeedSource>(needs as NeedSource).entries()) {
    resolveNeed(need, isList ? { ...place, path: [...place.path, index] } : place);
  }
}

function resolveNeed(need: NeedSource, place: NeedPlace): void {
  if (typeof need === 'string') return addFirstKnown(need.replace(/\.completion$/, ''), place);
  const { task, group, resource, units = 1, kind = 'data' } = need;
  if (resource !== undefined) return addDemand(resource, units, place);
  if (group === undefined) return addNamed({ on: task ?? '', target: 'task', kind }, place);
  if (kind !== 'validation') return addNamed({ on: group, target: 'group', kind }, place);
  place.draft.faults.add('TRP_WORKFLOW_INVALID', 'kind: a group cannot validate', [
    ...place.path,
    'kind',
  ]);
}

function addNamed(need: Need, place: NeedPlace): void {
  const known = need.target === 'task' ? place.draft.tasks : place.draft.groups;
  if (!known.has(need.on))
    return addUnknown(need.on, need.target, { ...place, path: [...place.path, need.target] });
  for (const waiting of tasksAt(place)) addNeed(waiting, need);
}

function addFirstKnown(on: string, place: NeedPlace): void {
  const { tasks, groups } = place.draft;
  if (!tasks.has(on) && !groups.has(on)) return addUnknown(on, 'task', place);
  for (const waiting of tasksAt(place))
    addNeed(waiting, { on, target: tasks.has(on) ? 'task' : 'group', kind: 'data' });
}

function addDemand(resource: string, units: number, place: NeedPlace): void {
  for (const task of tasksAt(place)) task.demand[resource] = (task.demand[resource] ?? 0) + units;
}

function addUnknown(on: string, target: 'task' | 'group', place: NeedPlace): void {
  const { draft, path } = place;
  const { tasks, groups, faults } = draft;
  for (const id of place.tasks) draft.unsure.add(id);
  if (faults.isMuted(['tasks', on]) || faults.isMuted(['groups', on])) return;
  const swapped = (target === 'task' ? groups : tasks).has(on);
  const other = target === 'task' ? 'group' : 'task';
  const hint = swapped
    ? `"${on}" is a ${other}: write {${other}: ${on}}.`
    : (faults.suggest(on, groups) ?? faults.suggestOrList(on, tasks, 'Tasks'));
  const kind =
    typeof path.at(-1) === 'string' && path.at(-1) !== 'needs' ? target : 'task or group';
  faults.add('TRP_WORKFLOW_UNKNOWN_REF', `there is no ${kind} "${on}"`, { path, hint });
}

function tasksAt({ draft, tasks }: NeedPlace): readonly TaskDraft[] {
  return tasks.flatMap((id) => draft.tasks.get(id) ?? []);
}

/** Turns `kind: validation` around: the task named checks the one that names it, after it. */
export function linkValidations(draft: Draft): void {
  for (const task of draft.tasks.values()) {
    for (const { on } of task.needs.filter(({ kind }) => kind === 'validation'))
      linkValidation(task, on, draft);
  }
}

function linkValidation(checked: TaskDraft, validator: string, draft: Draft): void {
  const review = draft.tasks.get(validator);
  if (!review) return;
  if (review.validates !== undefined && review.validates !== checked.id) {
    const message = `"${validator}" validates "${review.validates}" and "${checked.id}"; a task validates one`;
    draft.faults.add('TRP_WORKFLOW_INVALID', message, {
      path: placeOf(draft, validator),
      point: 'key',
    });
    return;
  }
  review.validates = checked.id;
  const waits = review.needs.some(
    ({ on, kind }) => on === checked.id && (kind === 'data' || kind === 'stream'),
  );
  if (!waits) addNeed(review, { on: checked.id, target: 'task', kind: 'data' });
}
