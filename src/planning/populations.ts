import type { Random } from '../core/random.ts';
import type { Trial, Trials } from './trials.ts';

/** Members of each population, and how many schedules there should be for each of them. */
const populationSize = { least: 6, most: 50, schedulesEach: 20 } as const;

/** Length of the part that a child takes from its father, as shares of the makespan: least, and what chance adds. */
const inherited = { least: 0.25, more: 0.5 } as const;

/** Children are shaken when fewer than this share of the jobs lie differently in both parents, and now and then. */
const shaking = { sameShare: 0.1, chance: 0.1, jobShare: 0.3, spanShare: 0.3 } as const;

/** How often a child that is no better takes its place all the same. */
const driftChance = 0.3;

/** Where the search takes its chances from. */
export interface Chances {
  readonly random: Random;
  /** Keys of a fresh draw. */
  readonly draw: () => Float64Array;
}

/**
 * A genetic search with two populations (Debels and Vanhoucke 2007): one of schedules pushed to the left, one
 * of schedules pushed to the right. Children of either are generated in the other's direction, so that every
 * schedule is also half of a justification. Ends with the budget of the trials.
 * @param founders schedules to begin with.
 */
export function searchPopulations(
  trials: Trials,
  founders: readonly Trial[],
  chances: Chances,
): void {
  const { budget } = trials.limits;
  const wanted = Math.max(
    populationSize.least,
    Math.min(populationSize.most, Math.floor(budget / populationSize.schedulesEach)),
  );
  const left: Trial[] = [];
  const right: Trial[] = [];
  for (let at = 0; at < wanted && trials.open(2); at++) {
    const founder = founders[at] ?? freshTrial(trials, chances);
    left.push(founder);
    right.push(trials.backward(trials.flipped(founder)));
  }
  const breeder = new Breeder(trials, chances);
  while (right.length > 0 && trials.open()) {
    breeder.breed(right, left, (keys) => trials.forwards(keys));
    breeder.breed(left, right, (keys) => turned(trials, trials.backward(keys)));
  }
}

function freshTrial(trials: Trials, { random, draw }: Chances): Trial {
  return random() < 0.5 ? trials.forwards(draw()) : trials.dispatched(draw());
}

/** A schedule from behind that is better than all has to be turned to be of use. */
function turned(trials: Trials, trial: Trial): Trial {
  if (trial.makespanMs < trials.best.makespanMs) trials.forwards(trials.flipped(trial));
  return trial;
}

class Breeder {
  private readonly trials: Trials;
  private readonly chances: Chances;

  constructor(trials: Trials, chances: Chances) {
    this.trials = trials;
    this.chances = chances;
  }

  /** One child of every member of `from`, which may take the place of its counterpart in `to`. */
  breed(from: readonly Trial[], to: Trial[], generate: (keys: Float64Array) => Trial): void {
    const best = to.reduce((least, { makespanMs }) => Math.min(least, makespanMs), Infinity);
    for (const [at, father] of from.entries()) {
      if (!this.trials.open()) return;
      const child = generate(this.childKeys(father, this.tournament(from)));
      const held = to[at]?.makespanMs ?? Infinity;
      const drifts = this.chances.random() < driftChance && held > best;
      if (child.makespanMs <= held || drifts) to[at] = child;
    }
  }

  private tournament(members: readonly Trial[]): Trial {
    const { random } = this.chances;
    const [one, other] = [this.anyOf(members, random()), this.anyOf(members, random())];
    return one.makespanMs <= other.makespanMs ? one : other;
  }

  private anyOf(members: readonly Trial[], at: number): Trial {
    return members[Math.floor(at * members.length)] ?? this.trials.best;
  }

  /** What starts within a span of the father's time keeps its time; the rest goes by the mother, before or after. */
  private childKeys(father: Trial, mother: Trial): Float64Array {
    const { random } = this.chances;
    const [his, hers] = [this.trials.flipped(father), this.trials.flipped(mother)];
    const spanMs = father.makespanMs * (inherited.least + random() * inherited.more);
    const fromMs = random() * (father.makespanMs + spanMs) - spanMs;
    const toMs = fromMs + spanMs;
    const farMs = 2 * Math.max(father.makespanMs, mother.makespanMs);
    let differing = 0;
    const keys = his.map((own, job) => {
      if (own >= fromMs && own <= toMs) return own;
      const other = hers[job] ?? 0;
      if (other !== own) differing++;
      if (other < fromMs) return other - farMs;
      return other > toMs ? other + farMs : other;
    });
    const alike = differing < keys.length * shaking.sameShare;
    if (alike || random() < shaking.chance) this.shake(keys, father.makespanMs);
    return keys;
  }

  private shake(keys: Float64Array, makespanMs: number): void {
    const { random } = this.chances;
    for (let job = 0; job < keys.length; job++) {
      if (random() >= shaking.jobShare) continue;
      keys[job] = (keys[job] ?? 0) + (random() - 0.5) * makespanMs * shaking.spanShare;
    }
  }
}
