import { errorInfo } from '../../core/errors.ts';
import { operationId } from '../../core/ids.ts';
import type { ConflictRecorded, RecordBody } from '../../journal/record.ts';
import { byStrength } from '../../results/strength.ts';
import type { RunCore } from './core.ts';
import type {
  Contribution,
  MergedFiles,
  UnitMerged,
  WorkspaceMerge,
  Workspaces,
} from './workspace-merge.ts';

/**
 * Begins to merge what a group or a task has left in workspaces. True: the unit's end has to wait for
 * {@link workspacesMerged}; false: there is nothing to merge, or it has been done.
 */
export function beginMerge(core: RunCore, unit: string): boolean {
  const { workspaces } = core.services;
  const { state } = core.ledger;
  if (!workspaces || !core.usesWorkspaces || state.mergedWorkspaces.has(unit)) return false;
  const merges = mergesOf(core, unit, workspaces);
  if (merges.length === 0) return false;
  const merging = merges.map(async (merge) => {
    const { into } = merge;
    try {
      return { into, result: await workspaces.merge(merge) };
    } catch (thrown) {
      return { into, result: { error: errorInfo(thrown) } };
    }
  });
  core.merging = (core.merging ?? 0) + 1;
  void Promise.all(merging).then((merged) =>
    core.self.send({ type: 'workspaces.merged', unit, merged }),
  );
  return true;
}

/** What was merged goes into the journal; then the unit's end takes its course. */
export function workspacesMerged(core: RunCore, { unit, merged }: UnitMerged): void {
  core.merging = (core.merging ?? 1) - 1;
  const records = merged.flatMap(({ into, result }): RecordBody[] => {
    if ('error' in result)
      return [{ type: 'workspace.merged', unit, into, files: 0, error: result.error }];
    const { files, conflicts } = result;
    return [...conflicts.map(conflictRecord), { type: 'workspace.merged', unit, into, files }];
  });
  core.ledger.commit(records, () => {
    const isGroup = core.ledger.state.groups.has(unit) && !hasTaskEnded(core, unit);
    (isGroup ? core.agenda.joined : core.agenda.ended).push(unit);
  });
}

function hasTaskEnded({ ledger }: RunCore, id: string): boolean {
  return ledger.state.tasks.get(id)?.phase === 'ended';
}

function conflictRecord({
  path,
  keptAs,
  loser,
  winner,
  lost,
}: MergedFiles['conflicts'][number]): ConflictRecorded {
  return {
    type: 'conflict.recorded',
    key: `file:${path}`,
    rule: 'workspace',
    base: 0,
    theirs: { agent: winner?.agent ?? '', revision: 0 },
    mine: { agent: loser.agent, task: loser.task },
    dropped: { kept_as: keptAs, lines: lost.map(({ line, text }) => ({ line, text })) },
  };
}

function mergesOf(core: RunCore, unit: string, workspaces: Workspaces): readonly WorkspaceMerge[] {
  const byFolder = new Map<string, { into: string; contributions: Contribution[] }>();
  for (const id of contributorsOf(core, unit)) {
    const { workspace, agent } = core.book.task(id);
    const row = core.ledger.state.tasks.get(id);
    if (!workspace?.into || row?.outcome !== 'succeeded') continue;
    const { into, from } = workspace;
    const path = workspaces.pathOf({ run: core.run, task: id, attempt: row.wonBy ?? row.attempt });
    const merge = byFolder.get(into) ?? { into, contributions: [] };
    merge.contributions.push({ task: id, agent, path, from });
    byFolder.set(into, merge);
  }
  return [...byFolder.values()];
}

/** The members of a group that has gone well, the strongest first; or the task itself, unless it is a member. */
function contributorsOf(core: RunCore, unit: string): readonly string[] {
  const { tasks, groups } = core.ledger.state;
  const outcome = groups.get(unit)?.outcome;
  if (outcome === undefined) {
    const isOwn = core.book.task(unit).group === undefined && !core.book.member(unit);
    return isOwn ? [unit] : [];
  }
  if (outcome !== 'succeeded' && outcome !== 'partial') return [];
  const strength = (id: string): Parameters<typeof byStrength>[0] => {
    const { agent, priority } = core.book.task(id);
    const op = operationId(core.run, id, tasks.get(id)?.iteration ?? 1);
    return { agent, op, priority: core.priorities.get(id) ?? priority, value: null };
  };
  const members = core.book.group(unit).members.filter((id) => core.book.task(id).workspace);
  return members.sort((a, b) => byStrength(strength(a), strength(b)));
}
