import { roundingMs } from './bounds.ts';
import { criticalPath } from './critical-path.ts';
import { durationOf, releaseOf } from './durations.ts';
import type { Finding, Planned } from './finding.ts';
import { readableMs } from './readable.ts';
import type { TaskSpec } from '../workflow/model.ts';
import { dependencies } from './graph.ts';

/** Times that will pass: of the run, of tasks from when their inputs are there, of one attempt. */
export function lateTasks(planned: Planned): Finding[] {
  return [
    ...lateRun(planned),
    ...planned.graph.workflow.tasks.flatMap((task) => lateTask(task, planned)),
  ];
}

function lateRun({ graph, schedule }: Planned): Finding[] {
  const { deadlineMs } = graph.workflow;
  if (deadlineMs === undefined || schedule.makespanMs <= deadlineMs + roundingMs) return [];
  const certain = schedule.lowerBoundMs > deadlineMs;
  const least = certain
    ? `at least ${readableMs(schedule.lowerBoundMs)}`
    : readableMs(schedule.makespanMs);
  const detail = `the run takes ${least}, its deadline is ${readableMs(deadlineMs)}`;
  return [{ kind: 'late', tasks: [], detail, certain, saves_ms: null }];
}

function lateTask(task: TaskSpec, planned: Planned): Finding[] {
  const { options, schedule } = planned;
  const durationMs = durationOf(task, options);
  const found: Finding[] = [];
  const add = (detail: string, certain: boolean): unknown =>
    found.push({
      kind: 'late',
      tasks: [task.id],
      detail: `${task.id} ${detail}`,
      certain,
      saves_ms: null,
    });
  if (task.timeoutMs !== undefined && durationMs > task.timeoutMs && !task.expand)
    add(
      `takes ${readableMs(durationMs)}, each attempt may take ${readableMs(task.timeoutMs)}`,
      false,
    );
  if (task.deadlineMs === undefined) return found;
  const span = schedule.tasks[task.index];
  const tookMs = (span?.finishMs ?? 0) - readyAt(task, planned);
  if (tookMs <= task.deadlineMs + roundingMs) return found;
  const waits =
    tookMs - durationMs > roundingMs ? ` (${readableMs(tookMs - durationMs)} of it waiting)` : '';
  const least = Math.max(durationMs, waitForStart(task, planned) + durationMs);
  add(
    `ends ${readableMs(tookMs)} after its inputs are there${waits}, its deadline is ${readableMs(task.deadlineMs)}`,
    least > task.deadlineMs,
  );
  return found;
}

/** When what the task waits for has ended, by the schedule. */
function readyAt(task: TaskSpec, { graph, schedule }: Planned): number {
  const finishes = dependencies(graph, task.id).flatMap((id) => {
    const node = graph.nodes[graph.indexOf.get(id) ?? -1];
    const ids = node?.group ? node.group.members : [id];
    return ids.map((one) => schedule.tasks[graph.indexOf.get(one) ?? -1]?.finishMs ?? 0);
  });
  return finishes.reduce((latest, ms) => Math.max(latest, ms), 0);
}

/** How long `not_before` makes the task wait in any case, if its inputs come as late as the critical path allows. */
function waitForStart(task: TaskSpec, planned: Planned): number {
  const { graph, options } = planned;
  if (dependencies(graph, task.id).length > 0) return 0;
  const timing = criticalPath(graph, options).timings.get(task.id);
  return Math.max(0, Math.min(releaseOf(task, options), timing?.earliestStartMs ?? 0));
}
