import { roundingMs, tailsOf } from './bounds.ts';
import type { CompactProject } from './compact.ts';
import { idOf } from './graph.ts';
import type { TaskGraph } from './graph.ts';
import type { Project } from './project.ts';
import { Timeline } from './timeline.ts';
import { makespanOf } from './trials.ts';

/** Jobs that are looked at beyond those that run: what lies further off takes no units now. */
const lookahead = 200;

/** A job that should be over is given this share of its duration more, and at least so many milliseconds. */
const overrun = { share: 0.05, leastMs: 1 } as const;

/** The plan is reconsidered when tasks have been off by so much of its length in all, since it was last. */
const deviationShare = 0.05;

/** Permits that are free are given at once; asking for longer than this many milliseconds means that others have them. */
const grantMs = 10;

/** What may start now, and when to ask again if nothing happens before; undefined: nothing waits. */
export interface Due {
  readonly tasks: readonly string[];
  readonly againAtMs: number | undefined;
}

type Phase = 'waiting' | 'ready' | 'asked' | 'running' | 'left' | 'ended';

interface Parts {
  readonly graph: TaskGraph;
  readonly project: Project;
  readonly compact: CompactProject;
  readonly starts: Float64Array;
}

/**
 * A plan that follows a run: whenever something has happened, what is left is scheduled anew in the plan's
 * order behind what runs, and those tasks start whose time is now. So a task that fits waits if, and only
 * if, starting it would delay one that the plan has before it; where reality keeps to the estimates, the run
 * is as long as the plan. Where others hold what the plan takes for free, all that is ready asks for its
 * permits, so that whoever shares them out sees whom he has to consider. Times are of one clock, in milliseconds.
 *
 * Invariants: (1) a task is told to start only between `ready` and the next `asked` of it, once; (2) while
 * nothing of the run is asked for or runs, all that is ready is told; (3) asking twice without an event
 * between gives no task twice.
 */
export class RollingPlan {
  private readonly parts: Parts;
  private readonly jobs: ReadonlyMap<string, number>;
  /** The plan's own order, and the plain one by the longest path to the end. */
  private readonly orders: readonly Int32Array[];
  private order: Int32Array;
  private readonly places: Int32Array;
  private readonly phases: Phase[];
  /** When a running job began, or one that left did so. */
  private readonly since: Float64Array;
  private readonly finishes: Float64Array;
  private readonly timeline: Timeline;
  /** How far tasks have been off since the plan was last reconsidered. */
  private deviationMs = 0;
  private readonly toleratedMs: number;
  private stale = true;
  private busy = 0;
  private readyCount = 0;

  constructor(parts: Parts) {
    this.parts = parts;
    const { graph, project, compact } = parts;
    this.jobs = new Map(
      project.nodeOf.flatMap((node, job) =>
        graph.nodes[node]?.task ? [[idOf(graph, node), job] as const] : [],
      ),
    );
    this.order = orderOf(project, parts.starts);
    const plain = orderOf(
      project,
      tailsOf(project).map((tail) => -tail),
    );
    this.orders = [this.order, plain];
    this.toleratedMs = deviationShare * makespanOf(compact, parts.starts);
    this.places = new Int32Array(compact.jobs);
    this.follow(this.order);
    this.phases = Array.from({ length: compact.jobs }, () => 'waiting');
    this.since = new Float64Array(compact.jobs);
    this.finishes = new Float64Array(compact.jobs);
    this.timeline = new Timeline(compact);
  }

  /** Whether anything has happened since {@link RollingPlan.due} was asked last. */
  get isStale(): boolean {
    return this.stale;
  }

  /** Whether the plan knows this task; members of split tasks and the like go their own way. */
  has(id: string): boolean {
    return this.jobs.has(id);
  }

  /** The earlier in the plan, the higher; undefined for a task that it does not know. */
  rankOf(id: string): number | undefined {
    const job = this.jobs.get(id);
    return job === undefined ? undefined : this.order.length - (this.places[job] ?? 0);
  }

  /** The task has all its inputs and nothing else keeps it from starting. */
  ready(id: string): void {
    this.move(id, 'ready', 0);
  }

  /** The task's permits have come. */
  started(id: string, nowMs: number): void {
    this.move(id, 'running', nowMs);
  }

  /** An attempt is over; whether the task is, has still to be said. */
  left(id: string, nowMs: number): void {
    const job = this.jobs.get(id);
    if (job !== undefined && this.phases[job] !== 'ended') this.move(id, 'left', nowMs);
  }

  /** The task is over, in whatever way. */
  ended(id: string): void {
    this.move(id, 'ended', 0);
  }

  /** What may start now. Costs nothing while nothing has happened since it was asked last. */
  due(nowMs: number): Due | undefined {
    if (!this.stale) return undefined;
    this.stale = false;
    if (this.readyCount === 0) return { tasks: [], againAtMs: undefined };
    if (this.deviationMs > this.toleratedMs) this.reconsider(nowMs);
    const pass = this.schedule(nowMs);
    const idle = this.busy === 0 && pass.now.length === 0;
    const jobs = idle || this.isContended(nowMs) ? this.readyJobs() : pass.now;
    const tasks = jobs.map((job) => this.idOfJob(job));
    for (const id of tasks) this.move(id, 'asked', nowMs);
    this.stale = false;
    const againAtMs =
      this.readyCount > 0 ? Math.max(pass.nextMs, nowMs + overrun.leastMs) : undefined;
    return { tasks, againAtMs: againAtMs === Infinity ? undefined : againAtMs };
  }

  /** The time that was told has come without anything having happened. */
  lookAgain(): void {
    this.stale = true;
  }

  private move(id: string, phase: Phase, nowMs: number): void {
    const job = this.jobs.get(id);
    if (job === undefined) return;
    const before = this.phases[job] ?? 'waiting';
    if (before === 'running' && phase === 'left') this.noteDeviation(job, nowMs);
    this.phases[job] = phase;
    this.since[job] = nowMs;
    this.busy += Number(isBusy(phase)) - Number(isBusy(before));
    this.readyCount += Number(phase === 'ready') - Number(before === 'ready');
    // What was asked for and now runs does so as planned.
    this.stale ||= !(before === 'asked' && phase === 'running');
  }

  private noteDeviation(job: number, nowMs: number): void {
    const tookMs = nowMs - (this.since[job] ?? nowMs);
    this.deviationMs += Math.abs(tookMs - (this.parts.compact.durations[job] ?? 0));
  }

  /**
   * Reality differs from the plan: goes by whichever of the two orders now ends sooner. To search for a better one
   * was tried and made runs longer: what is found then fits estimates that have just been wrong.
   */
  private reconsider(nowMs: number): void {
    this.deviationMs = 0;
    let soonestMs = Infinity;
    for (const order of this.orders) {
      const endMs = this.endOf(order, nowMs);
      if (endMs >= soonestMs - roundingMs) continue;
      soonestMs = endMs;
      this.follow(order);
    }
  }

  private follow(order: Int32Array): void {
    this.order = order;
    for (let at = 0; at < order.length; at++) this.places[order[at] ?? 0] = at;
  }

  /** When the run would end if what is left went in this order. */
  private endOf(order: Int32Array, nowMs: number): number {
    this.placeBusy(nowMs);
    let endMs = nowMs;
    for (const job of order) {
      const phase = this.phases[job];
      if (phase === 'waiting' || phase === 'ready')
        this.place(job, phase === 'ready' ? nowMs : this.inputsAt(job, nowMs));
      endMs = Math.max(endMs, this.finishes[job] ?? 0);
    }
    return endMs;
  }

  /** Whether something that was asked for is still waiting for its permits. */
  private isContended(nowMs: number): boolean {
    return this.phases.some(
      (phase, job) => phase === 'asked' && nowMs - (this.since[job] ?? nowMs) > grantMs,
    );
  }

  private readyJobs(): number[] {
    return [...this.order].filter((job) => this.phases[job] === 'ready');
  }

  private idOfJob(job: number): string {
    return idOf(this.parts.graph, this.parts.project.nodeOf[job] ?? 0);
  }

  /** Serial generation of what is left behind what runs. Jobs far off are passed over unless they could start now. */
  private schedule(nowMs: number): { readonly now: number[]; readonly nextMs: number } {
    this.placeBusy(nowMs);
    const now: number[] = [];
    let nextMs = Infinity;
    let [placed, ready] = [0, this.readyCount];
    for (let at = 0; at < this.order.length && ready > 0; at++) {
      const job = this.order[at] ?? 0;
      const phase = this.phases[job];
      if (phase !== 'waiting' && phase !== 'ready') continue;
      if (phase === 'waiting' && placed >= lookahead) continue;
      const start = this.place(job, phase === 'ready' ? nowMs : this.inputsAt(job, nowMs));
      placed++;
      if (phase !== 'ready') continue;
      ready--;
      if (start <= nowMs) now.push(job);
      else nextMs = Math.min(nextMs, start);
    }
    return { now, nextMs };
  }

  /** What holds units holds them until it is thought to end. */
  private placeBusy(nowMs: number): void {
    this.timeline.clear(nowMs);
    for (let job = 0; job < this.phases.length; job++) {
      const phase = this.phases[job] ?? 'waiting';
      if (phase === 'ended') this.finishes[job] = nowMs;
      else if (phase === 'left') this.finishes[job] = this.leftUntil(job, nowMs);
      else if (isBusy(phase)) {
        const finishMs = this.runsUntil(job, nowMs);
        const group = this.parts.compact.classOf[job] ?? 0;
        this.timeline.put(group, nowMs, finishMs - nowMs);
        this.finishes[job] = finishMs;
      }
    }
  }

  private runsUntil(job: number, nowMs: number): number {
    const durationMs = this.parts.compact.durations[job] ?? 0;
    const plannedMs = (this.since[job] ?? 0) + durationMs;
    if (plannedMs > nowMs) return plannedMs;
    // The longer it is late, the longer it may be late still.
    const lateMs = Math.max(nowMs - plannedMs, durationMs * overrun.share, overrun.leastMs);
    return nowMs + lateMs;
  }

  private leftUntil(job: number, nowMs: number): number {
    return nowMs + (nowMs - (this.since[job] ?? nowMs));
  }

  private place(job: number, earliestMs: number): number {
    const { classOf, durations } = this.parts.compact;
    const durationMs = durations[job] ?? 0;
    const start = this.timeline.put(classOf[job] ?? 0, earliestMs, durationMs);
    this.finishes[job] = start + durationMs;
    return start;
  }

  private inputsAt(job: number, nowMs: number): number {
    let latest = nowMs;
    for (const before of this.parts.project.predecessors[job] ?? [])
      latest = Math.max(latest, this.finishes[before] ?? 0);
    return latest;
  }
}

function isBusy(phase: Phase): boolean {
  return phase === 'asked' || phase === 'running';
}

/** Ascending by keys; among equals in topological order, so that everything comes after its inputs. */
function orderOf({ order }: Project, keys: Float64Array): Int32Array {
  const depth = new Int32Array(keys.length);
  order.forEach((job, at) => {
    depth[job] = at;
  });
  return Int32Array.from(keys, (_, job) => job).sort(
    (a, b) => (keys[a] ?? 0) - (keys[b] ?? 0) || (depth[a] ?? 0) - (depth[b] ?? 0),
  );
}
