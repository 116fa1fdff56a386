import { agentKind, concurrencyKind } from '../workflow/model.ts';
import type { Need, TaskSpec } from '../workflow/model.ts';
import { idOf } from './graph.ts';
import type { TaskGraph } from './graph.ts';
import { capacityOf } from './project.ts';
import { roundingMs } from './bounds.ts';
import type { PredictOptions, Schedule } from './schedule.ts';
import { releaseOf } from './durations.ts';
import { canDrop, usesIn } from './taken-up.ts';
import { canAsk, makespanIf, withLimit, withNeeds, withoutStart } from './what-if.ts';

/** One change that would make the run shorter, by really planning the changed workflow. */
export interface Advice {
  /** Best of its kind: a need to drop, a limit to raise, or a start time to do without. */
  readonly change: 'drop_need' | 'raise_limit' | 'drop_start';
  /** For `drop_need`: the task that waits, and what it waits for; for `drop_start`: the task alone. */
  readonly task: string | null;
  readonly on: string | null;
  /** For `raise_limit`: the resource kind, what there is and what there would be. */
  readonly resource: string | null;
  readonly from: number | null;
  readonly to: number | null;
  readonly makespan_ms: number;
  readonly saves_ms: number;
}

/** Needs, limits and start times that are tried. */
const maxNeeds = 12;
const maxLimits = 6;
const maxStarts = 6;

/** Tight needs of which it is looked at whether they can be dropped at all. */
const maxLookedAt = 48;

interface Question {
  readonly graph: TaskGraph;
  readonly schedule: Schedule;
  readonly options: PredictOptions;
}

/**
 * The best single need to drop, limit to raise and start time to do without, each only where it saves time, the
 * best first. A need whose dropping would take something from a task that it takes up is never among them.
 */
export function adviceFor(question: Question): Advice[] {
  if (!canAsk(question.graph.workflow)) return [];
  return [needChanges, limitChanges, startChanges]
    .flatMap((changes) => bestOf(changes(question)) ?? [])
    .sort((one, other) => other.saves_ms - one.saves_ms);
}

function bestOf(changes: readonly Advice[]): Advice | undefined {
  const [first, ...others] = changes.filter(({ saves_ms }) => saves_ms > roundingMs);
  return others.reduce((best, one) => (best && one.saves_ms > best.saves_ms ? one : best), first);
}

const nothing = { task: null, on: null, resource: null, from: null, to: null };

/** Needs that a task waited for to its very start: nothing else can be what held it up. */
function needChanges({ graph, schedule, options }: Question): Advice[] {
  const { workflow } = graph;
  const spans = new Map(schedule.tasks.map((task) => [task.id, task]));
  const tight = workflow.tasks.flatMap((task) =>
    task.needs
      .filter((need) => need.kind === 'data' && task.validates !== need.on)
      .filter(
        (need) => endOf(need, spans, graph) >= (spans.get(task.id)?.startMs ?? 0) - roundingMs,
      )
      .map((need) => ({ task, need })),
  );
  const longest = tight
    .filter(({ need }) => endOf(need, spans, graph) > 0)
    .sort((a, b) => endOf(b.need, spans, graph) - endOf(a.need, spans, graph));
  const uses = usesIn(graph);
  const droppable = spread(longest, maxLookedAt).filter(({ task, need }) =>
    canDrop({ graph, uses }, task, need),
  );
  return spread(droppable, maxNeeds).map(({ task, need }) => {
    const changed = withNeeds(workflow, task.id, (needs) => needs.filter((one) => one !== need));
    const makespan_ms = makespanIf(changed, options);
    const saves_ms = schedule.makespanMs - makespan_ms;
    return { ...nothing, change: 'drop_need', task: task.id, on: need.on, makespan_ms, saves_ms };
  });
}

function endOf(
  need: Need,
  spans: ReadonlyMap<string, { readonly finishMs: number }>,
  { workflow }: TaskGraph,
): number {
  const group = workflow.groups.find(({ id }) => id === need.on);
  const ids = need.target === 'group' ? (group?.members ?? []) : [need.on];
  return ids.reduce((latest, id) => Math.max(latest, spans.get(id)?.finishMs ?? 0), 0);
}

/** So many of a list, from its whole length. */
function spread<T>(list: readonly T[], most: number): T[] {
  const step = Math.max(1, list.length / most);
  return list.filter((_, at) => Math.floor(at / step) !== Math.floor((at - 1) / step));
}

function limitChanges({ graph, schedule, options }: Question): Advice[] {
  const { workflow } = graph;
  const waited = Object.entries(schedule.waitsMs).sort(([, one], [, other]) => other - one);
  return waited.slice(0, maxLimits).flatMap(([resource]): Advice[] => {
    // A lock stands for something that only one may touch: there is nothing to raise.
    if (resource.startsWith('lock:')) return [];
    const from = capacityOf(workflow, resource);
    const to = from + leastDemand(graph, resource);
    const makespan_ms = makespanIf(withLimit(workflow, resource, to), options);
    const saves_ms = schedule.makespanMs - makespan_ms;
    return [{ ...nothing, change: 'raise_limit', resource, from, to, makespan_ms, saves_ms }];
  });
}

/** Start times that tasks waited for, the latest first. */
function startChanges({ graph, schedule, options }: Question): Advice[] {
  const { workflow } = graph;
  return workflow.tasks
    .map((task) => ({ task, startMs: releaseOf(task, options) }))
    .filter(
      ({ task, startMs }) =>
        startMs > 0 && (schedule.tasks[task.index]?.startMs ?? 0) <= startMs + roundingMs,
    )
    .sort((one, other) => other.startMs - one.startMs)
    .slice(0, maxStarts)
    .map(({ task }) => {
      const makespan_ms = makespanIf(withoutStart(workflow, task.id), options);
      const saves_ms = schedule.makespanMs - makespan_ms;
      return { ...nothing, change: 'drop_start', task: task.id, makespan_ms, saves_ms };
    });
}

/** What room for one more task takes. */
function leastDemand(graph: TaskGraph, kind: string): number {
  if (kind === concurrencyKind || kind.startsWith(agentKind(''))) return 1;
  const demands = graph.order.flatMap((node): number[] => {
    const task: TaskSpec | undefined = graph.nodes[node]?.task;
    const units = task?.demand[kind] ?? 0;
    return units > 0 && idOf(graph, node) !== '' ? [units] : [];
  });
  return demands.reduce((least, units) => Math.min(least, units), Infinity);
}
