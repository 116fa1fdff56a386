import { criticalPath } from '../../planning/critical-path.ts';
import { durationOf, memberCount } from '../../planning/durations.ts';
import type { DurationOptions } from '../../planning/durations.ts';
import type { TaskGraph } from '../../planning/graph.ts';
import type { Workload } from '../../policies/parallelism.ts';
import type { AgentSpec } from '../../workflow/model.ts';

/** Members of a task of which only the run can tell how many there are. */
const unknownMembers = 64;

const bytesPerMb = 1024 * 1024;

/**
 * What a workflow is to do, as far as its document tells: how much, how wide, how much of it computes here.
 * @param inputBytes size of the run's input: what each task may be given of it.
 */
export function workloadOf(
  graph: TaskGraph,
  { inputBytes, ...options }: DurationOptions & { readonly inputBytes: number },
): Workload {
  const { tasks, agents } = graph.workflow;
  const path = criticalPath(graph, options);
  const changes: { at: number; members: number }[] = [];
  let workMs = 0;
  let computing = 0;
  let count = 0;
  let bytesPerTask = inputBytes;
  for (const task of tasks) {
    const members = memberCount(task.expand) ?? unknownMembers;
    const agent = agents[task.agent];
    const timing = path.timings.get(task.id);
    const ms = durationOf(task, options);
    workMs += ms * members;
    count += members;
    if (agent && computes(agent)) computing += members;
    bytesPerTask = Math.max(bytesPerTask, inputBytes + ownBytes(agent));
    const from = timing?.earliestStartMs ?? 0;
    changes.push({ at: from, members }, { at: from + ms, members: -members });
  }
  return {
    width: widest(changes),
    workMs,
    pathMs: path.makespanMs,
    computing: count > 0 ? computing / count : 0,
    bytesPerTask,
  };
}

/** A function on the loop of this process shares its one thread: more places cost it nothing. */
function computes({ uses, isolate }: AgentSpec): boolean {
  return uses === 'command' || (uses === 'function' && isolate !== 'inline');
}

function ownBytes(agent: AgentSpec | undefined): number {
  return agent && agent.uses === 'function' && agent.isolate !== 'inline'
    ? agent.limits.maxMemoryMb * bytesPerMb
    : 0;
}

/** The most members that would run at one time if nothing but dependencies counted. */
function widest(changes: { at: number; members: number }[]): number {
  let now = 0;
  let most = 1;
  for (const { members } of changes.sort((a, b) => a.at - b.at || a.members - b.members)) {
    now += members;
    most = Math.max(most, now);
  }
  return most;
}
