import { unitTolerance } from './project.ts';
import type { Project } from './project.ts';

/**
 * A project as flat arrays of numbers, for generating many schedules. Kinds that can never run short are
 * left out; jobs of equal demand form a class, as when one of them does not fit, none of them does.
 */
export interface CompactProject {
  readonly jobs: number;
  /** Milliseconds. */
  readonly durations: Float64Array;
  /** Earliest start of each job, in milliseconds from the run's start. */
  readonly releases: Float64Array;
  /** Successors of job j: `successors[successorsFrom[j]]` up to, not including, `successorsFrom[j + 1]`. */
  readonly successorsFrom: Int32Array;
  readonly successors: Int32Array;
  readonly predecessorCounts: Int32Array;
  /** Topological. */
  readonly order: Int32Array;
  readonly classOf: Int32Array;
  readonly classes: number;
  /** Demand of class c: from `demandsFrom[c]` up to, not including, `demandsFrom[c + 1]`. */
  readonly demandsFrom: Int32Array;
  readonly demandKinds: Int32Array;
  readonly demandUnits: Float64Array;
  /** Units per kind, the tolerance for sums of fractions included. */
  readonly capacity: Float64Array;
  /** A kind that every class demands, and the least of it; -1: there is none. */
  readonly commonKind: number;
  readonly commonUnits: number;
}

/** Flattens a project. O(jobs + edges). */
export function compactOf(project: Project): CompactProject {
  const scarce = scarceKinds(project);
  const classes = classesOf(project, scarce);
  const { classOf, ...demands } = classes;
  const edges = flatEdges(project.successors);
  return {
    jobs: project.durations.length,
    durations: Float64Array.from(project.durations),
    releases: Float64Array.from(project.releases),
    ...edges,
    predecessorCounts: Int32Array.from(project.predecessors, ({ length }) => length),
    order: Int32Array.from(project.order),
    classOf,
    ...demands,
    ...commonDemand(demands),
  };
}

/** The same project with time turned round. Releases do not bind: what is moved later stays behind them. */
export function turnedRound(project: Project, compact: CompactProject): CompactProject {
  return {
    ...compact,
    releases: new Float64Array(compact.jobs),
    ...flatEdges(project.predecessors),
    predecessorCounts: Int32Array.from(project.successors, ({ length }) => length),
    order: compact.order.slice().reverse(),
  };
}

/** Whether any kind can run short; else every schedule is as long as the critical path. */
export function isScarce({ capacity }: CompactProject): boolean {
  return capacity.length > 0;
}

/** The new number of each kind, -1 for one of which there is enough for all jobs at once. */
function scarceKinds({ kinds, capacity, demands }: Project): number[] {
  const total = kinds.map(() => 0);
  for (const demand of demands)
    for (const { kind, units } of demand) total[kind] = (total[kind] ?? 0) + units;
  let scarce = 0;
  return total.map((units, kind) =>
    units > (capacity[kind] ?? 0) + unitTolerance ? scarce++ : -1,
  );
}

interface Classes {
  readonly classOf: Int32Array;
  readonly classes: number;
  readonly demandsFrom: Int32Array;
  readonly demandKinds: Int32Array;
  readonly demandUnits: Float64Array;
  readonly capacity: Float64Array;
}

function classesOf(project: Project, scarce: readonly number[]): Classes {
  const numbers = new Map<string, number>();
  const [from, kinds, units]: [number[], number[], number[]] = [[0], [], []];
  const classOf = Int32Array.from(project.demands, (demand, job) => {
    const held =
      (project.durations[job] ?? 0) > 0
        ? demand.filter(({ kind }) => (scarce[kind] ?? -1) >= 0)
        : [];
    const name = held.map((entry) => `${entry.kind}:${entry.units}`).join(' ');
    const known = numbers.get(name);
    if (known !== undefined) return known;
    for (const entry of held) {
      kinds.push(scarce[entry.kind] ?? 0);
      units.push(entry.units);
    }
    from.push(kinds.length);
    numbers.set(name, numbers.size);
    return numbers.size - 1;
  });
  const limited = project.capacity.filter((_, kind) => (scarce[kind] ?? -1) >= 0);
  return {
    classOf,
    classes: numbers.size,
    demandsFrom: Int32Array.from(from),
    demandKinds: Int32Array.from(kinds),
    demandUnits: Float64Array.from(units),
    capacity: Float64Array.from(limited, (there) => there + unitTolerance),
  };
}

function commonDemand({
  classes,
  demandsFrom,
  demandKinds,
  demandUnits,
  capacity,
}: Omit<Classes, 'classOf'>): Pick<CompactProject, 'commonKind' | 'commonUnits'> {
  const demanding = new Int32Array(capacity.length);
  const least = new Float64Array(capacity.length).fill(Infinity);
  let bare = 0;
  for (let at = 0; at < classes; at++) {
    if (demandsFrom[at] === demandsFrom[at + 1]) bare++;
  }
  demandKinds.forEach((kind, at) => {
    demanding[kind] = (demanding[kind] ?? 0) + 1;
    least[kind] = Math.min(least[kind] ?? 0, demandUnits[at] ?? 0);
  });
  const commonKind = demanding.findIndex((count) => count > 0 && count === classes - bare);
  return { commonKind, commonUnits: least[commonKind] ?? 0 };
}

function flatEdges(
  lists: readonly (readonly number[])[],
): Pick<CompactProject, 'successorsFrom' | 'successors'> {
  const successorsFrom = new Int32Array(lists.length + 1);
  lists.forEach(({ length }, job) => {
    successorsFrom[job + 1] = (successorsFrom[job] ?? 0) + length;
  });
  return { successorsFrom, successors: Int32Array.from(lists.flat()) };
}
