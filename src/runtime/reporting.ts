import type { Census, TaskOutcome } from '../core/outcome.ts';
import type { RunState, TaskRow } from '../journal/run-state.ts';
import type { TaskGraph } from '../planning/graph.ts';
import { countOutcomes } from '../results/census.ts';
import type { RunCore } from '../supervisors/run/core.ts';
import type { ProviderTally } from '../supervisors/run/provider-tally.ts';
import { aggregationId, memberId } from '../workflow/model.ts';
import type { TaskSpec } from '../workflow/model.ts';
import { barrierWaits } from './metrics/barrier-wait.ts';
import { metricsOf } from './metrics/metrics.ts';
import { RunTime } from './metrics/run-time.ts';
import { groupReports } from './group-report.ts';
import type { RunReport, TaskReport } from './report.ts';
import { recoveryReport } from './recovery-report.ts';
import { reliabilityReport } from './reliability-report.ts';
import type { SpendReport } from './spend-report.ts';

/** What a report has that the journal does not. */
export interface ReportOptions {
  /** Wall milliseconds, for the time that a run has taken so far; default: the last known time. */
  readonly now?: number | undefined;
  /** How calls to providers went; default: nothing is known of them. */
  readonly tally?: ProviderTally | undefined;
  /** Tasks that nothing will ever start; default: none is known. */
  readonly stuck?: readonly string[] | undefined;
  /** The run as it lives; default: its journal is all that is known. */
  readonly live?: Pick<RunCore, 'breakers' | 'health'> | undefined;
}

/**
 * A run as data, from the fold of its journal: the same for a live run, an ended one, and one that another
 * process owns; only what calls to providers did is known to the process alone that carries the run.
 * @param options a number is `now`
 */
export function reportOf(
  state: RunState,
  graph: TaskGraph,
  options: ReportOptions | number = {},
): RunReport {
  const { now, tally, stuck, live }: ReportOptions =
    typeof options === 'number' ? { now: options } : options;
  const { workflow } = graph;
  const time = new RunTime(state, now);
  const waits = barrierWaits(state, graph, time);
  const tasks = workflow.tasks.flatMap((task) => taskReports(state, task, time));
  const ended = state.status === 'ended';
  const reliability = reliabilityReport(state, live);
  return {
    format: 1,
    run_id: state.run,
    workflow: workflow.name,
    status: state.outcome ?? (state.paused ? 'paused' : 'running'),
    reason: ended ? (state.reason ?? 'completed') : 'in_progress',
    outputs: state.outputs,
    census: censusOf(state),
    tasks,
    groups: groupReports(state, workflow, waits),
    metrics: metricsOf(state, graph, now),
    spend: spendReport(state),
    providers: providerReports(tally),
    ...(reliability && { reliability }),
    adaptation: {
      changes: state.adaptation.count,
      concurrency: state.adaptation.concurrency ?? null,
      group_sizes: Object.fromEntries(state.adaptation.groups),
      timeout_factor: state.adaptation.timeoutFactor,
      paces: Object.fromEntries(state.adaptation.paces),
    },
    recovery: recoveryReport(state, stuck),
    conflicts: { recorded: state.conflicts.recorded, open: state.conflicts.open.size },
    started_at: new Date(state.startedAt).toISOString(),
    seed: state.seed,
    simulated: state.simulated,
  };
}

function providerReports(tally: ProviderTally | undefined): RunReport['providers'] {
  const entries = tally?.entries() ?? [];
  return Object.fromEntries(
    entries.map(([provider, { calls, refused, pausedMs, waitMs }]) => [
      provider,
      { calls, refused, paused_ms: Math.round(pausedMs), wait_ms: Math.round(waitMs) },
    ]),
  );
}

function spendReport({ spend }: RunState): SpendReport {
  const { total, byAgent, exhausted } = spend;
  return {
    ...total,
    by_agent: Object.fromEntries([...byAgent].map(([agent, amounts]) => [agent, { ...amounts }])),
    exhausted: [...exhausted].map(([agent, cap]) => ({ cap, agent: agent === '' ? null : agent })),
  };
}

/** A task, and after it the members that it was split into. */
function taskReports(state: RunState, task: TaskSpec, time: RunTime): TaskReport[] {
  const row = state.tasks.get(task.id);
  const own = taskReport(time, task.agent, row ?? task.id);
  if (!row?.items) return [own];
  const members = row.items.map((_, index) => {
    const id = memberId(task.id, index);
    const aspect = task.expand?.kind === 'aspects' ? task.expand.aspects[index] : undefined;
    return taskReport(time, aspect?.agent ?? task.agent, state.tasks.get(id) ?? id);
  });
  const aggregation = state.tasks.get(aggregationId(task.id));
  return [own, ...members, ...(aggregation ? [taskReport(time, aggregation.id, aggregation)] : [])];
}

function taskReport(time: RunTime, agent: string, row: TaskRow | string): TaskReport {
  if (typeof row === 'string') return waitingReport(row, agent);
  return {
    id: row.id,
    agent,
    outcome: row.outcome ?? (isIdle(row) ? 'waiting' : 'running'),
    reason: row.reason ?? (isIdle(row) ? 'waiting' : 'in_progress'),
    attempts: row.attempt,
    iterations: row.iteration,
    started_ms: relative(time, row.startedAt),
    finished_ms: relative(time, row.finishedAt),
    error: row.outcome === 'succeeded' ? null : (row.error ?? null),
  };
}

function isIdle({ phase }: TaskRow): boolean {
  return phase === 'waiting' || phase === 'parked';
}

function waitingReport(id: string, agent: string): TaskReport {
  return {
    id,
    agent,
    outcome: 'waiting',
    reason: 'waiting',
    attempts: 0,
    iterations: 1,
    started_ms: null,
    finished_ms: null,
    error: null,
  };
}

function censusOf(state: RunState): Census {
  const outcomes: TaskOutcome[] = [];
  let late = 0;
  for (const row of state.tasks.values()) {
    if (row.outcome) outcomes.push(row.outcome);
    late += row.late;
  }
  return { ...countOutcomes(outcomes), late };
}

function relative(time: RunTime, at: number | undefined): number | null {
  return at === undefined ? null : time.since(at);
}
