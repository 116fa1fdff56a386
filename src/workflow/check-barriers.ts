import { placeOf } from './draft.ts';
import type { Draft, GroupDraft, TaskDraft } from './draft.ts';
import type { DocumentPath } from './fault.ts';
import type { BarrierSpec, MinSuccess } from './model.ts';

/** Finds barriers that contradict themselves: deadlines out of order, early exits that cannot come, weights of nobody. */
export function checkBarriers(draft: Draft): void {
  for (const group of draft.groups.values()) checkGroup(group, draft);
  for (const task of draft.tasks.values()) if (task.barrier) checkSplit(task, task.barrier, draft);
}

interface Subject {
  readonly draft: Draft;
  readonly path: DocumentPath;
  readonly barrier: BarrierSpec;
  /** Names that weights may be given to; undefined: not known before the run. */
  readonly members: readonly string[] | undefined;
  readonly weightOf: (member: string) => number;
}

function checkGroup({ id, barrier, members }: GroupDraft, draft: Draft): void {
  const weightOf = (member: string): number =>
    barrier.weights?.[member] ?? draft.tasks.get(member)?.weight ?? 1;
  const path = [...placeOf(draft, id), 'barrier'];
  check({ draft, path, barrier, weightOf, members: draft.unsure.has(id) ? undefined : members });
}

function checkSplit(task: TaskDraft, barrier: BarrierSpec, draft: Draft): void {
  const path = ['tasks', task.id, 'barrier'];
  const aspects = task.expand?.kind === 'aspects' ? task.expand.aspects : undefined;
  const weightOf = (id: string): number =>
    barrier.weights?.[id] ?? aspects?.find((aspect) => aspect.id === id)?.weight ?? 1;
  check({ draft, path, barrier, weightOf, members: aspects?.map(({ id }) => id) });
  if (barrier.late)
    add({ draft, path }, 'late', {
      text: 'late: the parts of a split task end with it',
      hint: 'late: merge is for groups and parallel tiers.',
    });
  if (barrier.weights && !aspects)
    add({ draft, path }, 'weights', {
      text: 'weights: members made at run time have no names',
      hint: 'Aspects and the members of groups have weights.',
    });
}

function check(subject: Subject): void {
  checkOrder(subject);
  checkQuorum(subject);
  checkWeights(subject);
}

/** A deadline that comes after the one that ends everything says nothing. */
function checkOrder(subject: Subject): void {
  const { softTimeoutMs: soft, timeoutMs: timeout, hardTimeoutMs: hard } = subject.barrier;
  const ends = [
    ['timeout', timeout],
    ['hard_deadline', hard],
  ] as const;
  for (const [name, endMs] of ends) {
    if (soft === undefined || endMs === undefined || soft < endMs) continue;
    add(subject, 'soft_deadline', {
      text: `soft_deadline: it comes after ${name}`,
      hint: 'The soft deadline is the first of the three.',
    });
    return;
  }
  if (timeout === undefined || hard === undefined || timeout <= hard) return;
  add(subject, 'hard_deadline', {
    text: 'hard_deadline: it comes before timeout',
    hint: 'The hard deadline is the last of the three: extensions end there.',
  });
}

function checkQuorum(subject: Subject): void {
  const { quorum, minSuccess } = subject.barrier;
  if (!quorum) return;
  const members = subject.members?.length;
  if ('count' in quorum && members !== undefined && quorum.count > members)
    add(subject, 'quorum', { text: `quorum: ${quorum.count} of ${members} members` });
  else if (isBelow(quorum, minSuccess))
    add(subject, 'quorum', {
      text: 'quorum: it is less than min_success, so that the group never goes on at it',
      hint: 'A quorum is min_success or more.',
    });
}

function isBelow(quorum: MinSuccess, least: MinSuccess): boolean {
  if ('count' in quorum && 'count' in least) return quorum.count < least.count;
  if ('share' in quorum && 'share' in least) return quorum.share < least.share;
  return 'weight' in quorum && 'weight' in least && quorum.weight < least.weight;
}

function checkWeights(subject: Subject): void {
  const { barrier, members, draft, path } = subject;
  const { quorum, minSuccess, weights = {} } = barrier;
  for (const id of Object.keys(weights)) {
    if (!members || members.includes(id)) continue;
    const hint = draft.faults.suggest(id, members) ?? `Members: ${members.join(', ')}.`;
    const place = { path: [...path, 'weights', id], point: 'key' as const, hint };
    draft.faults.add('TRP_WORKFLOW_UNKNOWN_REF', `"${id}" is not a member`, place);
  }
  if (!members) return;
  const total = members.reduce((sum, id) => sum + subject.weightOf(id), 0);
  const targets = [
    ['min_success', minSuccess],
    ['quorum', quorum],
  ] as const;
  for (const [key, target] of targets) {
    if (!target || !('weight' in target) || target.weight <= total + 1e-9) continue;
    add(subject, key, { text: `${key}: a weight of ${target.weight} of ${round(total)}` });
  }
}

function round(weight: number): number {
  return Math.round(weight * 1e6) / 1e6;
}

function add(
  { draft, path }: Pick<Subject, 'draft' | 'path'>,
  key: string,
  { text, hint }: { readonly text: string; readonly hint?: string },
): void {
  const place = { path: [...path, key], point: 'key' as const, ...(hint && { hint }) };
  draft.faults.add('TRP_WORKFLOW_UNSATISFIABLE', text, place);
}
