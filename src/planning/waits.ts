import type { Starts } from './serial-generation.ts';
import { unitTolerance } from './project.ts';
import type { Project } from './project.ts';

/**
 * How long ready jobs of a schedule wait for each kind of resource, in milliseconds summed over the jobs. A
 * wait counts for the kinds that lack units for the job right before it starts. One sweep over time.
 */
export function waitsFor(project: Project, starts: Starts): { readonly [kind: string]: number } {
  const jobs = project.durations.flatMap((durationMs, job) => (durationMs > 0 ? [job] : []));
  const startOf = (job: number): number => starts[job] ?? 0;
  const finishOf = (job: number): number => startOf(job) + (project.durations[job] ?? 0);
  const byFinish = [...jobs].sort((a, b) => finishOf(a) - finishOf(b));
  const used = new Float64Array(project.kinds.length);
  const waits: { [kind: string]: number } = {};
  let ended = 0;
  for (const batch of batchesByStart(jobs, startOf)) {
    const nowMs = startOf(batch[0] ?? 0);
    // What ends at this very moment is what the job waited for, so it still counts here.
    for (; ended < byFinish.length && finishOf(byFinish[ended] ?? 0) < nowMs; ended++)
      hold(project, used, { job: byFinish[ended] ?? 0, sign: -1 });
    for (const job of batch)
      addWaits(project, used, { job, waitedMs: nowMs - readyAt(project, job, finishOf), waits });
    for (const job of batch) hold(project, used, { job, sign: 1 });
  }
  return waits;
}

function batchesByStart(jobs: readonly number[], startOf: (job: number) => number): number[][] {
  const batches: number[][] = [];
  for (const job of [...jobs].sort((a, b) => startOf(a) - startOf(b))) {
    const last = batches.at(-1);
    if (last && startOf(last[0] ?? 0) === startOf(job)) last.push(job);
    else batches.push([job]);
  }
  return batches;
}

function readyAt(project: Project, job: number, finishOf: (job: number) => number): number {
  return (project.predecessors[job] ?? []).reduce(
    (latest, before) => Math.max(latest, finishOf(before)),
    0,
  );
}

function hold(
  project: Project,
  used: Float64Array,
  { job, sign }: { readonly job: number; readonly sign: 1 | -1 },
): void {
  for (const { kind, units } of project.demands[job] ?? [])
    used[kind] = (used[kind] ?? 0) + sign * units;
}

function addWaits(
  project: Project,
  used: Float64Array,
  {
    job,
    waitedMs,
    waits,
  }: {
    readonly job: number;
    readonly waitedMs: number;
    readonly waits: { [kind: string]: number };
  },
): void {
  if (waitedMs <= 0) return;
  for (const { kind, units } of project.demands[job] ?? []) {
    const name = project.kinds[kind] ?? '';
    if ((used[kind] ?? 0) + units > (project.capacity[kind] ?? 0) + unitTolerance)
      waits[name] = (waits[name] ?? 0) + waitedMs;
  }
}
