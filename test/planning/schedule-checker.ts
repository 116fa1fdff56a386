import { agentKind } from '../../src/workflow/model.ts';
import type { TaskSpec, Workflow } from '../../src/workflow/model.ts';
import type { Schedule, ScheduledTask } from '../../src/planning/schedule.ts';

/**
 * What is wrong with a schedule, by the rules of the document and nothing else: every task once, for its
 * whole estimate, after what it needs, and at no time more units in use than there are. For workflows
 * whose tasks have one member each.
 */
export function faultsOf(workflow: Workflow, schedule: Schedule): string[] {
  const times = new Map(schedule.tasks.map((task) => [task.id, task]));
  const faults = workflow.tasks.flatMap((task) => timeFaults(workflow, task, times));
  const last = Math.max(0, ...schedule.tasks.map((task) => task.finishMs));
  if (last !== schedule.makespanMs)
    faults.push(`makespan ${schedule.makespanMs}, last finish ${last}`);
  return [...faults, ...overloads(workflow, times)];
}

function timeFaults(
  workflow: Workflow,
  task: TaskSpec,
  times: ReadonlyMap<string, ScheduledTask>,
): string[] {
  const time = times.get(task.id);
  if (!time) return [`${task.id} is missing`];
  const faults: string[] = [];
  if (time.startMs < 0 || time.finishMs - time.startMs !== task.estimate?.midMs)
    faults.push(`${task.id} has a wrong length`);
  for (const on of waitedFor(workflow, task)) {
    if ((times.get(on)?.finishMs ?? 0) > time.startMs)
      faults.push(`${task.id} starts before ${on} ends`);
  }
  const streams = task.needs.filter((need) => need.kind === 'stream' && need.target === 'group');
  for (const { on } of streams) {
    const finishes = membersOf(workflow, on).map((member) => times.get(member)?.finishMs ?? 0);
    if (Math.min(...finishes) > time.startMs)
      faults.push(`${task.id} starts before any member of ${on} ends`);
  }
  return faults;
}

function waitedFor(workflow: Workflow, task: TaskSpec): string[] {
  const blocking = task.needs.filter(
    (need) => need.kind === 'data' || (need.kind === 'stream' && need.target === 'task'),
  );
  const direct = blocking.flatMap((need) =>
    need.target === 'group' ? membersOf(workflow, need.on) : [need.on],
  );
  const checked = task.validates === undefined ? [] : [task.validates];
  const checkers = workflow.tasks.filter(
    ({ id, validates }) =>
      validates !== undefined &&
      id !== task.id &&
      direct.includes(validates) &&
      validates !== task.validates,
  );
  return [...direct, ...checked, ...checkers.map(({ id }) => id)];
}

function membersOf(workflow: Workflow, group: string): readonly string[] {
  return workflow.groups.find(({ id }) => id === group)?.members ?? [];
}

function overloads(workflow: Workflow, times: ReadonlyMap<string, ScheduledTask>): string[] {
  const { capacity, concurrency } = workflow.resources;
  const faults: string[] = [];
  for (const { startMs } of times.values()) {
    const running = workflow.tasks.filter((task) => {
      const time = times.get(task.id);
      return time && time.startMs <= startMs && startMs < time.finishMs;
    });
    if (running.length > (concurrency ?? Infinity))
      faults.push(`${running.length} tasks at ${startMs}`);
    for (const [kind, used] of usage(running)) {
      const agent = Object.values(workflow.agents).find(({ id }) => agentKind(id) === kind);
      const most = agent ? (agent.limits.concurrency ?? Infinity) : (capacity[kind] ?? 1);
      if (used > most) faults.push(`${used} of ${most} ${kind} at ${startMs}`);
    }
  }
  return faults;
}

function usage(running: readonly TaskSpec[]): Map<string, number> {
  const used = new Map<string, number>();
  const add = (kind: string, units: number): unknown =>
    used.set(kind, (used.get(kind) ?? 0) + units);
  for (const task of running) {
    add(agentKind(task.agent), 1);
    for (const [kind, units] of Object.entries(task.demand)) add(kind, units);
  }
  return used;
}
