import type { Clock } from '../../core/clock.ts';
import type { Deadlines } from '../../core/deadlines.ts';
import type { Random } from '../../core/random.ts';
import type { Schedule } from './delivery-queue.ts';

/** How bad the network is that an embedded bus pretends to be. All default to 0: none of it happens. */
export interface NetworkFaults {
  /** Probability, 0 to 1, that a delivery never arrives. */
  readonly drop?: number;
  /** Probability that it arrives twice. */
  readonly duplicate?: number;
  /** Probability that later ones overtake it. */
  readonly reorder?: number;
  /** Longest time on the way, in milliseconds. */
  readonly delayMs?: number;
}

/** What the network needs of its bus. */
export interface NetworkOptions {
  readonly faults: NetworkFaults;
  readonly random: Random;
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly schedule: Schedule;
}

/** What happens to one delivery. */
export interface Fate {
  /** How often it arrives: 0, 1 or 2. */
  readonly copies: number;
  readonly overtaken: boolean;
  readonly delayMs: number;
}

/**
 * A network between the bus and its receivers that loses, doubles, delays and reorders by a seeded dice.
 *
 * Invariants:
 * 1. Every delivery takes the same number of throws, so one seed and one order of deliveries give one history.
 * 2. Deliveries to one receiver that are not to be overtaken arrive in order.
 * 3. `onTheWay` is the number of deliveries that were sent and have not arrived.
 */
export class FaultyNetwork {
  private readonly options: NetworkOptions;
  private readonly lastArrival = new WeakMap<object, number>();
  private waiting: (() => void)[] = [];
  private onTheWay = 0;

  constructor(options: NetworkOptions) {
    this.options = options;
  }

  /** Throws the dice for one delivery. */
  fate(): Fate {
    const { faults, random } = this.options;
    const [drop, duplicate, reorder, delay] = [random(), random(), random(), random()];
    const copies = drop < (faults.drop ?? 0) ? 0 : duplicate < (faults.duplicate ?? 0) ? 2 : 1;
    return {
      copies,
      overtaken: reorder < (faults.reorder ?? 0),
      delayMs: delay * (faults.delayMs ?? 0),
    };
  }

  /** Sends something to a receiver. @returns how often it will arrive. */
  send(receiver: object, arrive: () => void): number {
    const fate = this.fate();
    for (let copy = 0; copy < fate.copies; copy++) this.sendOnce(receiver, fate, arrive);
    return fate.copies;
  }

  /** Calls back when nothing is on the way. */
  whenIdle(done: () => void): void {
    if (this.onTheWay === 0) done();
    else this.waiting.push(done);
  }

  private sendOnce(receiver: object, { overtaken, delayMs }: Fate, arrive: () => void): void {
    const arrived = (): void => {
      this.onTheWay--;
      arrive();
      if (this.onTheWay > 0) return;
      const { waiting } = this;
      this.waiting = [];
      for (const done of waiting) done();
    };
    this.onTheWay++;
    const { faults, clock, deadlines, schedule } = this.options;
    const longest = faults.delayMs ?? 0;
    if (longest > 0) {
      const soonest = clock.now() + delayMs;
      const due = overtaken ? soonest + longest : Math.max(soonest, this.lastTo(receiver));
      if (!overtaken) this.lastArrival.set(receiver, due);
      deadlines.at(due, arrived);
    } else if (overtaken) schedule(arrived);
    else arrived();
  }

  private lastTo(receiver: object): number {
    return this.lastArrival.get(receiver) ?? 0;
  }
}
