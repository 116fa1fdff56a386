import { emptyCensus } from '../../../src/core/outcome.ts';
import type { RunReport, TaskReport } from '../../../src/runtime/report.ts';

/** A task's row in a report: succeeded at once unless said otherwise. */
export function taskReport(id: string, parts: Partial<TaskReport> = {}): TaskReport {
  return {
    id,
    agent: 'someone',
    outcome: 'succeeded',
    reason: 'completed',
    attempts: 1,
    iterations: 1,
    started_ms: 0,
    finished_ms: 1000,
    error: null,
    ...parts,
  };
}

/** A report of a run that succeeded unless said otherwise; the census follows from the tasks. */
export function runReport(parts: Partial<RunReport> = {}): RunReport {
  const tasks = parts.tasks ?? [];
  const census = emptyCensus();
  for (const { outcome } of tasks)
    if (outcome !== 'waiting' && outcome !== 'running') census[outcome]++;
  return {
    format: 1,
    run_id: 'run-0000000000000001',
    workflow: 'sample',
    status: 'succeeded',
    reason: 'completed',
    outputs: null,
    census,
    tasks,
    groups: [],
    metrics: {
      wall_ms: 1000,
      sequential_ms: 1000,
      critical_path_ms: 1000,
      critical_path: [],
      speedup: 1,
      parallel_efficiency: 1,
      peak_tasks: 1,
      queue_wait_ms: 0,
      lock_wait_ms: 0,
      barrier_wait_ms: 0,
      utilisation: {},
      bottleneck: { kind: 'none', id: '', share: 0 },
    },
    conflicts: { recorded: 0, open: 0 },
    recovery: { paused: null, questions: [], escalations: [], stuck: [], forked: null },
    adaptation: { changes: 0, concurrency: null, group_sizes: {}, timeout_factor: 1, paces: {} },
    spend: { input_tokens: 0, output_tokens: 0, cost: 0, by_agent: {}, exhausted: [] },
    providers: {},
    started_at: new Date(1_000_000).toISOString(),
    seed: 1,
    simulated: false,
    ...parts,
  };
}
