import { agentKind, concurrencyKind } from '../workflow/model.ts';
import type { TaskSpec, Workflow } from '../workflow/model.ts';
import { durationOf, memberCount, releaseOf } from './durations.ts';
import type { DurationOptions } from './durations.ts';
import type { TaskGraph } from './graph.ts';
import { reversed, topologicalOrder } from './topological.ts';
import type { Adjacency } from './topological.ts';

/** Sums of fractional units are not exact: what is over the capacity by less than this still fits. */
export const unitTolerance = 1e-9;

/** Units of one resource kind, by the kind's number in {@link Project.kinds}. */
export interface Demand {
  readonly kind: number;
  readonly units: number;
}

/**
 * A workflow as a resource-constrained project: jobs with durations, precedence, and demands on kinds of
 * limited capacity. A task is one job; an expanding task is one job per member and one, of no duration,
 * where they join; a group is a job of no duration.
 */
export interface Project {
  readonly durations: readonly number[];
  /** Earliest start of each job, in milliseconds from the run's start. */
  readonly releases: readonly number[];
  readonly demands: readonly (readonly Demand[])[];
  /** Jobs with equal demands have equal numbers: when one does not fit, none of them does. */
  readonly demandClass: readonly number[];
  readonly kinds: readonly string[];
  readonly capacity: readonly number[];
  readonly successors: Adjacency;
  readonly predecessors: Adjacency;
  /** Topological. */
  readonly order: readonly number[];
  /** The graph node that each job belongs to. */
  readonly nodeOf: readonly number[];
}

/**
 * What one attempt of a task holds while it runs: its own demand, one of the run's `concurrency` where that
 * is limited, and one of its agent's slots where those are.
 */
export function demandOf(
  workflow: Workflow,
  task: Pick<TaskSpec, 'agent' | 'demand'>,
): { [kind: string]: number } {
  const held: { [kind: string]: number } = {};
  for (const [kind, units] of Object.entries(task.demand)) if (units > 0) held[kind] = units;
  if (workflow.resources.concurrency !== undefined) held[concurrencyKind] = 1;
  if (workflow.agents[task.agent]?.limits.concurrency !== undefined)
    held[agentKind(task.agent)] = 1;
  return held;
}

/** What all members of a task would hold if they ran at one time, as far as the document tells how many there are. */
export function demandOfAll(workflow: Workflow, task: TaskSpec): { [kind: string]: number } {
  if (task.expand?.kind !== 'aspects') {
    const members = memberCount(task.expand) ?? 1;
    const each = Object.entries(demandOf(workflow, task));
    return Object.fromEntries(each.map(([kind, units]) => [kind, units * members]));
  }
  const held: { [kind: string]: number } = {};
  for (const { agent = task.agent } of task.expand.aspects) {
    const each = demandOf(workflow, { agent, demand: task.demand });
    for (const [kind, units] of Object.entries(each)) held[kind] = (held[kind] ?? 0) + units;
  }
  return held;
}

/** Units that there are of a kind; a kind that nobody declares is a lock: one unit. */
export function capacityOf(workflow: Workflow, kind: string): number {
  if (kind === concurrencyKind) return workflow.resources.concurrency ?? Infinity;
  const declared = workflow.resources.capacity[kind];
  if (declared !== undefined) return declared;
  const agent = kind.startsWith(agentPrefix)
    ? workflow.agents[kind.slice(agentPrefix.length)]
    : undefined;
  return agent?.limits.concurrency ?? 1;
}

const agentPrefix = agentKind('');

/** Turns a workflow into a project. A demand above the capacity counts as the whole capacity: the job runs alone. */
export function projectOf(graph: TaskGraph, options: DurationOptions = {}): Project {
  const draft = new Draft(graph.workflow);
  const spans = graph.nodes.map(({ task, index }) => draft.addNode(index, task, options));
  graph.successors.forEach((nexts, node) => {
    for (const next of nexts) draft.link(spans[node], spans[next]);
  });
  return draft.finish();
}

/** Jobs of one node: `first`..`last`, of which `last` is the one that others wait for. */
interface Span {
  readonly first: number;
  readonly last: number;
}

interface JobTimes {
  readonly durationMs: number;
  readonly releaseMs: number;
}

class Draft {
  private readonly workflow: Workflow;
  private readonly durations: number[] = [];
  private readonly releases: number[] = [];
  private readonly demands: Demand[][] = [];
  private readonly demandClass: number[] = [];
  private readonly nodeOf: number[] = [];
  private readonly successors: number[][] = [];
  private readonly kindNumbers = new Map<string, number>();
  private readonly capacity: number[] = [];
  private readonly classNumbers = new Map<string, number>();

  constructor(workflow: Workflow) {
    this.workflow = workflow;
  }

  addNode(node: number, task: TaskSpec | undefined, options: DurationOptions): Span {
    const count = task ? (memberCount(task.expand) ?? 1) : 0;
    const first = this.durations.length;
    const releaseMs = task ? releaseOf(task, options) : 0;
    const durationMs = task ? durationOf(task, options) : 0;
    if (task) this.addMembers(node, task, { count, durationMs, releaseMs });
    if (count === 1) return { first, last: first };
    const last = this.addJob(node, { durationMs: 0, releaseMs }, {});
    for (let member = first; member < last; member++) this.successors[member]?.push(last);
    return { first, last };
  }

  link(from: Span | undefined, to: Span | undefined): void {
    if (!from || !to) return;
    const entries = to.last > to.first ? to.last - to.first : 1;
    for (let at = 0; at < entries; at++) this.successors[from.last]?.push(to.first + at);
  }

  finish(): Project {
    const { durations, releases, demands, demandClass, nodeOf, successors, capacity } = this;
    const kinds = [...this.kindNumbers.keys()];
    const order = topologicalOrder(successors);
    const predecessors = reversed(successors);
    return {
      durations,
      releases,
      demands,
      demandClass,
      kinds,
      capacity,
      successors,
      predecessors,
      order,
      nodeOf,
    };
  }

  private addMembers(
    node: number,
    task: TaskSpec,
    { count, ...times }: JobTimes & { readonly count: number },
  ): void {
    const aspects = task.expand?.kind === 'aspects' ? task.expand.aspects : [];
    for (let member = 0; member < count; member++) {
      const agent = aspects[member]?.agent ?? task.agent;
      this.addJob(node, times, demandOf(this.workflow, { agent, demand: task.demand }));
    }
  }

  private addJob(
    node: number,
    { durationMs, releaseMs }: JobTimes,
    held: { readonly [kind: string]: number },
  ): number {
    const demand = Object.entries(held).map(([name, units]) => this.demandFor(name, units));
    const key = demand
      .map(({ kind, units }) => `${kind}:${units}`)
      .sort()
      .join(' ');
    const demandClass = this.classNumbers.get(key) ?? this.classNumbers.size;
    this.classNumbers.set(key, demandClass);
    this.demandClass.push(demandClass);
    this.demands.push(demand);
    this.successors.push([]);
    this.nodeOf.push(node);
    this.releases.push(releaseMs);
    return this.durations.push(durationMs) - 1;
  }

  private demandFor(name: string, units: number): Demand {
    let kind = this.kindNumbers.get(name);
    if (kind === undefined) {
      kind = this.capacity.push(capacityOf(this.workflow, name)) - 1;
      this.kindNumbers.set(name, kind);
    }
    return { kind, units: Math.min(units, this.capacity[kind] ?? units) };
  }
}
