import { emptyCensus } from '../core/outcome.ts';
import type { Plain } from '../core/plain.ts';
import type { GroupRow, RunState } from '../journal/run-state.ts';
import { aggregate } from '../results/aggregation.ts';
import type { GroupSpec, Workflow } from '../workflow/model.ts';
import { phaseOf } from './group-phase.ts';
import type { GroupReport } from './report.ts';

/** The groups of a run as data. The census is that of a group's end, with what came late since. */
export function groupReports(
  state: RunState,
  workflow: Workflow,
  waits: ReadonlyMap<string, number>,
): readonly GroupReport[] {
  const defaults = new Map<string, Plain>();
  if (workflow.groups.some(({ mode }) => mode === 'async_merge'))
    for (const task of workflow.tasks)
      if (task.default !== undefined) defaults.set(task.id, task.default);
  return workflow.groups.map((group) => ({
    ...groupReport(state, group),
    merged: mergedSoFar(state, group, defaults),
    barrier_wait_ms: waits.get(group.id) ?? 0,
  }));
}

function groupReport(
  state: RunState,
  { id, members }: GroupSpec,
): Omit<GroupReport, 'barrier_wait_ms' | 'merged'> {
  const row = state.groups.get(id);
  const dropped = members.reduce((sum, member) => sum + (state.tasks.get(member)?.late ?? 0), 0);
  const late = row?.lateMerged ?? [];
  return {
    id,
    phase: phaseOf(row),
    outcome: row?.outcome ?? (row ? 'running' : 'waiting'),
    reason: row?.reason ?? (row ? 'in_progress' : 'waiting'),
    census: { ...(row?.census ?? emptyCensus()), late: dropped + late.length },
    late: [...late],
  };
}

/** The outputs of an async_merge group as they stand; the output that others use is that of its end. */
function mergedSoFar(
  state: RunState,
  group: GroupSpec,
  defaults: ReadonlyMap<string, Plain>,
): GroupReport['merged'] {
  if (group.mode !== 'async_merge') return null;
  const row = state.groups.get(group.id);
  const revision = row?.contributions.size ?? 0;
  if (row?.phase === 'ended' && (!row.lateMerged || group.aggregate?.kind === 'function'))
    return { revision, output: row.output };
  const outputs = group.members.map((id) => memberOutput(state, row, id) ?? gapOf(state, id));
  const spec = group.aggregate?.kind === 'function' ? undefined : group.aggregate;
  return { revision, output: aggregate(spec, outputs) };

  function gapOf({ tasks }: RunState, id: string): Plain {
    return tasks.get(id)?.phase === 'ended' ? (defaults.get(id) ?? null) : null;
  }
}

function memberOutput(
  { tasks }: RunState,
  row: GroupRow | undefined,
  id: string,
): Plain | undefined {
  return row?.contributions.has(id) ? tasks.get(id)?.output : undefined;
}
