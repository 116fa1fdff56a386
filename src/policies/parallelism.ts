/** What there is to do. */
export interface Workload {
  /** The most tasks that their dependencies would let run at one time. */
  readonly width: number;
  /** Sum of the planned durations of all tasks, milliseconds; how complex they are is in it. */
  readonly workMs: number;
  /** Longest chain of dependencies, milliseconds. */
  readonly pathMs: number;
  /** Share of the tasks that compute on this machine instead of waiting for others, 0..1. */
  readonly computing: number;
  /** Memory that one task is thought to hold: what its agent may use, or what it reads. */
  readonly bytesPerTask: number;
  /** Time that is left for all of it; undefined: no deadline. */
  readonly deadlineMs?: number | undefined;
  /** What all of it may cost and what one task is thought to, in one currency; undefined: no cap. */
  readonly cost?: { readonly cap: number; readonly perTask: number } | undefined;
}

/** How the process stands. */
export interface ProcessLoad {
  readonly cores: number;
  /** How late the event loop is, milliseconds. */
  readonly eventLoopDelayMs: number;
  /** Share of the memory that the process may use which it uses, 0..1. */
  readonly memory: number;
  readonly freeBytes: number;
}

/** What a choice looks at besides the workload. */
export interface Capacity extends ProcessLoad {
  /** Response time of the agents over what is usual for them; 1 when nothing is known. */
  readonly slowness: number;
  /** Tasks of other runs that wait for a place. */
  readonly queueDepth: number;
}

/** What the choice may not leave. */
export interface DegreeBounds {
  readonly min: number;
  readonly max: number;
}

/** How many tasks to run at one time, and why, in words. */
export interface Degree {
  readonly degree: number;
  readonly reasons: readonly string[];
}

/** Places per core for tasks that wait for others most of the time, and for those that compute. */
const perCore = { waiting: 16, computing: 2 } as const;

/** Places for which the bound on the makespan is this share of the longest chain above that chain. */
const worthwhileExcess = 0.1;

/** Where pressure begins to count, and what is left of the places when it is at its worst. */
const pressure = { eventLoopDelayMs: 100, memory: 0.85, least: 0.25 } as const;

/**
 * How many tasks to run at one time. By Brent's bound ("The Parallel Evaluation of General Arithmetic
 * Expressions", 1974) p places take at most C + (W - C) / p for work W with the longest chain C: so there is a
 * number beyond which more places do not pay, and one that a deadline needs. Of that, as much as the process
 * has room for. More capacity never lowers the answer, and neither does a nearer deadline; more pressure never
 * raises it.
 */
export function chooseDegree(
  workload: Workload,
  capacity: Capacity,
  { min, max }: DegreeBounds,
): Degree {
  const wanted = wantedPlaces(workload);
  const limits = [
    wanted,
    roomOf(workload, capacity),
    memoryRoom(workload, capacity),
    costRoom(workload),
    { places: max, why: `${max} are allowed` },
  ];
  let tightest = wanted;
  for (const limit of limits) if (limit.places < tightest.places) tightest = limit;
  const degree = Math.max(min, Math.min(max, tightest.places));
  const why = tightest === wanted ? [wanted.why] : [wanted.why, tightest.why];
  return { degree, reasons: degree > tightest.places ? [...why, `${min} are the least`] : why };
}

interface Limit {
  readonly places: number;
  readonly why: string;
}

function wantedPlaces({ width, workMs, pathMs, deadlineMs }: Workload): Limit {
  const besides = Math.max(0, workMs - pathMs);
  const worthwhile = pathMs > 0 ? Math.ceil(besides / (worthwhileExcess * pathMs)) : width;
  const spare = (deadlineMs ?? Infinity) - pathMs;
  const needed = spare > 0 ? Math.ceil(besides / spare) : width;
  const places = Math.max(1, Math.min(width, Math.max(worthwhile, needed)));
  if (places === width) return { places, why: `${width} could run together` };
  const why =
    needed > worthwhile
      ? `${places} keep the deadline`
      : `${places} pay: beyond that the longest chain decides`;
  return { places, why };
}

function roomOf({ computing }: Workload, capacity: Capacity): Limit {
  const { cores, slowness, queueDepth } = capacity;
  const places = cores * (perCore.waiting + (perCore.computing - perCore.waiting) * computing);
  const late = headroom(capacity.eventLoopDelayMs, pressure.eventLoopDelayMs);
  const full = headroom(capacity.memory, pressure.memory);
  const shared = places / (places + Math.max(0, queueDepth));
  const left = Math.floor((places * Math.min(late, full) * shared) / Math.max(1, slowness));
  const causes = [
    ...(late < 1 ? [`the event loop is ${Math.round(capacity.eventLoopDelayMs)} ms late`] : []),
    ...(full < 1 ? [`${Math.round(capacity.memory * 100)}% of the memory is in use`] : []),
    ...(slowness > 1 ? [`agents take ${slowness.toFixed(1)} times as long as usual`] : []),
    ...(queueDepth > 0 ? [`${queueDepth} tasks of others wait`] : []),
  ];
  const why = `${Math.max(1, left)} fit on ${cores} ${cores === 1 ? 'core' : 'cores'}`;
  return { places: Math.max(1, left), why: [why, ...causes].join(', ') };
}

function memoryRoom({ bytesPerTask }: Workload, { freeBytes }: Capacity): Limit {
  const fit = bytesPerTask > 0 ? Math.floor(freeBytes / bytesPerTask) : Infinity;
  const places = Math.max(1, fit);
  return { places, why: `${places} fit into free memory` };
}

/** Nobody can stop what runs from costing what it costs: no more runs at one time than the cap would pay for. */
function costRoom({ cost }: Workload): Limit {
  const fit = cost && cost.perTask > 0 ? Math.floor(cost.cap / cost.perTask) : Infinity;
  const places = Math.max(1, fit);
  return { places, why: `${places} at one time keep within the cost cap` };
}

/** 1 up to half of the limit, then evenly down to what is left at the limit and beyond. */
function headroom(value: number, limit: number): number {
  const over = Math.max(0, Math.min(1, (2 * value) / limit - 1));
  return 1 - over * (1 - pressure.least);
}
