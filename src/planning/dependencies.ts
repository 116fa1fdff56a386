import type { EdgeKind } from './edges.ts';
import type { TaskGraph } from './graph.ts';
import { capacityOf, demandOfAll, unitTolerance } from './project.ts';
import type { Finding } from './finding.ts';

/** One task or group that another comes after, or looks at. */
export interface Dependency {
  readonly from: string;
  readonly to: string;
  /** A stream is a dependency on data that does not wait for all of it. */
  readonly kind: EdgeKind;
  /** False: nobody wrote it down, it follows from what the tasks read and write. */
  readonly declared: boolean;
}

/** Tasks, or members of one, that compete for one kind of resource of which there is not enough for all at once. */
export interface Competition {
  readonly resource: string;
  readonly units: number;
  readonly demanded: number;
  readonly tasks: readonly string[];
}

/** What orders or holds up tasks, by the four kinds: data (streams included), context, validation and resource. */
export interface Dependencies {
  readonly data: readonly Dependency[];
  readonly context: readonly Dependency[];
  readonly validation: readonly Dependency[];
  readonly resource: readonly Competition[];
  /** Dependencies that are not listed. */
  readonly omitted: number;
}

/** Dependencies listed of each kind. */
const maxEach = 500;

/** Reads the dependencies off the graph; those of context that nobody declared come from the findings. */
export function dependenciesOf(graph: TaskGraph, findings: readonly Finding[]): Dependencies {
  const declared = graph.edges.map((edge): Dependency => ({ ...edge, declared: true }));
  const inferred = findings
    .filter(({ kind }) => kind === 'unannounced_read')
    .map(({ tasks: [from = '', to = ''] }): Dependency => ({
      from,
      to,
      kind: 'context',
      declared: false,
    }));
  const all = [...declared, ...inferred];
  const lists = {
    data: all.filter(({ kind }) => kind === 'data' || kind === 'stream'),
    context: all.filter(({ kind }) => kind === 'context'),
    validation: all.filter(({ kind }) => kind === 'validation'),
  };
  const omitted = Object.values(lists).reduce(
    (sum, { length }) => sum + Math.max(0, length - maxEach),
    0,
  );
  return {
    data: lists.data.slice(0, maxEach),
    context: lists.context.slice(0, maxEach),
    validation: lists.validation.slice(0, maxEach),
    resource: competitions(graph),
    omitted,
  };
}

function competitions({ workflow }: TaskGraph): Competition[] {
  const demanded = new Map<string, { units: number; readonly tasks: string[] }>();
  for (const task of workflow.tasks) {
    for (const [kind, units] of Object.entries(demandOfAll(workflow, task))) {
      const known = demanded.get(kind) ?? { units: 0, tasks: [] };
      known.units += units;
      known.tasks.push(task.id);
      demanded.set(kind, known);
    }
  }
  return [...demanded].flatMap(([resource, { units, tasks }]) => {
    const there = capacityOf(workflow, resource);
    if (units <= there + unitTolerance) return [];
    return [{ resource, units: there, demanded: units, tasks: tasks.slice(0, maxEach) }];
  });
}
