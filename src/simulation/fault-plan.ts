import { seedOf } from '../core/random.ts';
import { Dice } from './dice.ts';

/** What can go wrong in a simulated world. Each class can be switched off by itself. */
export const faultClasses = [
  /** Messages are lost, doubled, overtaken and late. */
  'bus',
  /** The store answers late. */
  'slow_store',
  /** The store does what it was asked, and the answer is lost. */
  'lost_answer',
  /** The disk of the store is full for a while. */
  'disk_full',
  /** Processes die at any moment and are started again. */
  'crash',
  /** Processes are stopped in order and started again. */
  'restart',
  /** Processes stand still for longer than their lease. */
  'pause',
  /** Processes are cut off from store and bus for a while. */
  'partition',
  /** Clocks of processes run fast or slow. */
  'skew',
  /** Wall time of processes jumps. */
  'jump',
  /** Attempts never end by themselves. Only where a timeout ends them. */
  'hang',
  /** Attempts fail. */
  'throw',
  /** Attempts take longer. */
  'slow',
  /** Attempts go on after they have ended or were given up. */
  'stray',
  /** Somebody cancels runs and decides conflicts, by the bus. */
  'people',
] as const;

/** One class of faults. */
export type FaultClass = (typeof faultClasses)[number];

/** Something that befalls a process, or the whole world, at a time. */
export interface Episode {
  readonly atMs: number;
  readonly fault: FaultClass;
  /** Index of the process. */
  readonly process: number;
  readonly forMs: number;
}

/** What goes wrong in one world. All of it follows from the seed. */
export interface FaultPlan {
  readonly seed: number;
  /** Classes that are at work. */
  readonly classes: ReadonlySet<FaultClass>;
  /** How likely each kind is where it is a matter of chance, 0 to 1. */
  readonly rates: { readonly [fault in FaultClass]: number };
  readonly episodes: readonly Episode[];
  /** When the world heals, in milliseconds from its start. From then on nothing new goes wrong. */
  readonly healMs: number;
}

/** Highest rate of each class that is a matter of chance; the others come as episodes. */
const highest: { readonly [fault in FaultClass]?: number } = {
  bus: 0.25,
  slow_store: 1,
  lost_answer: 0.08,
  hang: 0.15,
  throw: 0.25,
  slow: 0.3,
  stray: 0.4,
};

/** Longest and shortest episode of a class, in milliseconds. */
const lengths: { readonly [fault in FaultClass]?: readonly [number, number] } = {
  disk_full: [50, 6_000],
  crash: [0, 5_000],
  restart: [0, 2_000],
  pause: [200, 25_000],
  partition: [100, 20_000],
  jump: [0, 0],
  people: [0, 0],
};

const moments = [0, 1, 5, 12, 25, 50, 100, 200, 350, 700, 1_500, 4_000, 9_000] as const;

/**
 * Draws the faults of a seed. Each class draws from dice of its own, so that switching one off changes
 * nothing of the others; every seed leaves some out and has rates of its own.
 * @param allowed classes that may be at work. Default: all.
 */
export function drawFaults(
  seed: number,
  { allowed = faultClasses, processes }: { allowed?: readonly FaultClass[]; processes: number },
): FaultPlan {
  const classes = new Set<FaultClass>();
  const rates = Object.fromEntries(faultClasses.map((fault) => [fault, 0])) as Record<
    FaultClass,
    number
  >;
  const episodes: Episode[] = [];
  for (const fault of faultClasses) {
    const dice = new Dice(seedOf('faults', fault, seed));
    const isDrawn = dice.chance(0.4);
    if (!isDrawn || !allowed.includes(fault)) continue;
    classes.add(fault);
    rates[fault] = dice.share() * (highest[fault] ?? 0);
    episodes.push(...episodesOf(fault, dice, processes));
  }
  episodes.sort((one, other) => one.atMs - other.atMs);
  const last = Math.max(0, ...episodes.map(({ atMs, forMs }) => atMs + forMs));
  return { seed, classes, rates, episodes, healMs: Math.max(3_000, last + 10) };
}

function episodesOf(fault: FaultClass, dice: Dice, processes: number): Episode[] {
  const range = lengths[fault];
  if (!range) return [];
  const [shortest, longest] = range;
  return Array.from({ length: dice.between(1, 3) }, () => ({
    fault,
    atMs: dice.pick(moments) + dice.between(0, 9),
    process: dice.between(0, processes - 1),
    forMs: dice.chance(0.5) ? dice.between(shortest, longest) : shortest,
  }));
}
