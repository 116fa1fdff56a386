import { addNeed } from './draft.ts';
import type { Draft, TierSource } from './draft.ts';
import type { Need } from './model.ts';
import { addGroup } from './normalise-groups.ts';
import { aggregateSpec, barrierSpec } from './normalise-policies.ts';
import { aggregateWords } from './schema/words.ts';

/** What the next tier waits for. */
type TierEnd = Pick<Need, 'on' | 'target'>;

/**
 * Resolves tiers into dependencies and groups: a sequential tier is a chain, a parallel tier is a group
 * `tier-ID`; every worker of a tier waits for the whole tier before it.
 */
export function normaliseTiers(draft: Draft): void {
  let before: TierEnd | undefined;
  const seen = new Set<string>();
  for (const [index, source] of (draft.document.tiers ?? []).entries()) {
    const tier = { id: String(source.id ?? index + 1), index, source, before };
    if (seen.has(tier.id))
      draft.faults.add('TRP_WORKFLOW_INVALID', `two tiers are called "${tier.id}"`, [
        'tiers',
        index,
        'id',
      ]);
    seen.add(tier.id);
    before = source.mode === 'sequential' ? addSequential(tier, draft) : addParallel(tier, draft);
  }
}

interface Tier {
  readonly id: string;
  readonly index: number;
  readonly source: TierSource;
  readonly before: TierEnd | undefined;
}

const parallelKeys = ['barrier', 'aggregate', 'critical', 'late'] as const;

function addSequential(tier: Tier, draft: Draft): TierEnd | undefined {
  const { source, index } = tier;
  for (const key of parallelKeys) {
    if (source[key] === undefined) continue;
    draft.faults.add('TRP_WORKFLOW_INVALID', `${key}: only a parallel tier has one`, {
      path: ['tiers', index, key],
      point: 'key',
    });
  }
  let end = tier.before;
  for (const [place, worker] of source.workers.entries()) {
    if (!isTask(worker, ['tiers', index, 'workers', place], draft)) continue;
    waitFor(worker, end && { ...end, kind: place === 0 ? kindAfter(tier) : 'data' }, draft);
    end = { on: worker, target: 'task' };
  }
  return end;
}

function addParallel(tier: Tier, draft: Draft): TierEnd {
  const { source, index, before } = tier;
  const aggregator = aggregatorOf(tier, draft);
  const members = source.workers.filter((worker) => worker !== aggregator);
  const group = {
    id: `tier-${tier.id}`,
    members,
    mode:
      source.synchronization === 'async_merge' ? ('async_merge' as const) : ('fork_join' as const),
    barrier: barrierSpec(source.barrier, {
      fallback: draft.document.barrier_synchronization,
      late: source.late,
    }),
    aggregate: aggregator === undefined ? aggregateSpec(source.aggregate) : undefined,
    critical: source.critical ?? true,
    validators: [],
    tier: tier.id,
  };
  draft.places.set(group.id, ['tiers', index]);
  addGroup(group, draft, { path: ['tiers', index], membersAt: 'workers' });
  for (const worker of members)
    waitFor(worker, before && { ...before, kind: kindAfter(tier) }, draft);
  const end: TierEnd = { on: group.id, target: 'group' };
  if (aggregator === undefined) return end;
  waitFor(aggregator, { ...end, kind: 'data' }, draft);
  return { on: aggregator, target: 'task' };
}

/** The task that aggregates, if `aggregate` names one. */
function aggregatorOf({ source, index }: Tier, draft: Draft): string | undefined {
  const { aggregate } = source;
  if (typeof aggregate !== 'string' || aggregateWords.some((word) => word === aggregate))
    return undefined;
  return isTask(aggregate, ['tiers', index, 'aggregate'], draft) ? aggregate : undefined;
}

function isTask(id: string, path: readonly (string | number)[], { tasks, faults }: Draft): boolean {
  if (tasks.has(id)) return true;
  if (faults.isMuted(['tasks', id])) return false;
  faults.add('TRP_WORKFLOW_UNKNOWN_REF', `there is no task "${id}"`, {
    path,
    hint: faults.suggestOrList(id, tasks, 'Tasks'),
  });
  return false;
}

function kindAfter({ source, before }: Tier): Need['kind'] {
  return source.kind === 'stream' && before?.target === 'group' ? 'stream' : 'data';
}

function waitFor(worker: string, need: Need | undefined, draft: Draft): void {
  const task = draft.tasks.get(worker);
  if (task && need) addNeed(task, need);
}
