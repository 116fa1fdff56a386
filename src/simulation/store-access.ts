import { TroupeError } from '../core/errors.ts';
import { toPlain } from '../core/plain.ts';
import type { SimulatedClock } from '../core/simulated-clock.ts';
import type { OwnedRun } from '../journal/journal.ts';
import type { JournalRecord } from '../journal/record.ts';
import type { Dice } from './dice.ts';
import { Lane } from './lane.ts';
import type { ProcessClock } from './process-clock.ts';
import type { SharedStore } from './shared-store.ts';

/** How the way to the store is at the moment. */
export interface StoreWay {
  /** Longest time of one direction in milliseconds; 0: what is asked is answered at once. */
  readonly delayMs: number;
  /** Probability that an answer is lost. */
  readonly loseAnswer: number;
  /** Nothing gets through; what is sent arrives later. */
  readonly isCut: boolean;
}

/** What a {@link StoreAccess} is made of. */
export interface StoreAccessOptions {
  readonly store: SharedStore;
  readonly node: string;
  readonly clock: ProcessClock;
  readonly world: SimulatedClock;
  readonly dice: Dice;
  readonly way: () => StoreWay;
  /** The process has been told that these records are durable. */
  readonly acknowledged: (run: string, records: readonly JournalRecord[]) => void;
}

/** How long a process waits for an answer, in milliseconds of its clock. */
const answerMs = 4_000;

/**
 * One process's way to the shared store, over a network: requests arrive late and in order, answers come late,
 * in order, or not at all. Who gets no answer in time is told TRP_JOURNAL_IO, and does not know whether what it
 * asked was done.
 */
export class StoreAccess {
  private readonly options: StoreAccessOptions;
  private readonly there: Lane;
  private readonly back: Lane;

  constructor(options: StoreAccessOptions) {
    const { world, way } = options;
    this.options = options;
    this.there = new Lane(world, () => way().isCut);
    this.back = new Lane(world, () => way().isCut);
  }

  create(run: string): Promise<OwnedRun> {
    const { store, node } = this.options;
    return this.ask(() => store.create(run, node)).then((owned) => this.handle(owned));
  }

  adopt(run: string): Promise<OwnedRun> {
    const { store, node } = this.options;
    return this.ask(() => store.adopt(run, node)).then((owned) => this.handle(owned));
  }

  read(run: string): Promise<readonly JournalRecord[]> {
    return this.ask(() => this.options.store.read(run));
  }

  /**
   * Runs that have not ended and that no other live node owns. This node’s own are among them: it may own a run
   * without knowing so, when the answer to its takeover was lost.
   */
  left(): Promise<readonly string[]> {
    const { store, node } = this.options;
    return this.ask(async () =>
      store.open().filter((run) => (store.liveOwner(run) ?? node) === node),
    );
  }

  renew(): void {
    const { store, node } = this.options;
    this.send(() => store.renew(node));
  }

  private handle(owned: OwnedRun): OwnedRun {
    const { store, clock } = this.options;
    const line = new AppendLine(owned, this.options, {
      send: (arrive) => this.send(arrive),
      answer: (arrive) => this.answer(arrive),
    });
    return {
      run: owned.run,
      epoch: owned.epoch,
      records: owned.records.map((record) => toPlain(record) as unknown as JournalRecord),
      append: (records, durable) => line.append(records, durable),
      release: () => {
        if (clock.isAlive) this.send(() => void store.release(owned));
        return Promise.resolve();
      },
    };
  }

  /** A question to the store; rejects with TRP_JOURNAL_IO when no answer comes. */
  private ask<T>(question: () => Promise<T>): Promise<T> {
    const { clock } = this.options;
    return new Promise<T>((resolve, reject) => {
      const timer = clock.uncounted.setTimeout(() => reject(noAnswer()), answerMs);
      const settle = (settled: () => void): void =>
        this.answer(() => {
          clock.uncounted.clearTimeout(timer);
          settled();
        });
      this.send(() => {
        question().then(
          (value) => settle(() => resolve(value)),
          (error: unknown) => settle(() => reject(error as Error)),
        );
      });
    });
  }

  /** Brings a request to the store, behind those that were sent before. */
  private send(arrive: () => void): void {
    if (this.options.clock.isAlive) this.there.send(this.delay(), arrive);
  }

  private answer(arrive: () => void): void {
    const { way, dice, clock } = this.options;
    const { loseAnswer } = way();
    if (loseAnswer > 0 && dice.chance(loseAnswer)) return;
    this.back.send(this.delay(), () => clock.deliver(arrive));
  }

  private delay(): number {
    const { way, dice } = this.options;
    const { delayMs } = way();
    return delayMs === 0 ? 0 : dice.between(0, delayMs);
  }
}

interface Waiting {
  readonly records: readonly JournalRecord[];
  readonly durable: (error?: TroupeError) => void;
}

/** The two directions of the way to the store. */
interface Way {
  send(arrive: () => void): void;
  answer(arrive: () => void): void;
}

/**
 * Appends through one ownership.
 *
 * Invariants:
 * 1. The store gets appends in their order; after one that it has refused it takes no other.
 * 2. Each append is answered once, in order; after an error everything is refused at once.
 */
class AppendLine {
  private readonly owned: OwnedRun;
  private readonly options: StoreAccessOptions;
  private readonly way: Way;
  private waiting: Waiting[] = [];
  private broken: TroupeError | undefined;
  /** The store's side of invariant 1. */
  private isRefused = false;
  private timer: unknown;

  constructor(owned: OwnedRun, options: StoreAccessOptions, way: Way) {
    this.owned = owned;
    this.options = options;
    this.way = way;
  }

  append(records: readonly JournalRecord[], durable: (error?: TroupeError) => void): void {
    if (this.broken) return durable(this.broken);
    const append = { records: records.map(copyOf), durable };
    this.waiting.push(append);
    if (this.waiting.length === 1) this.expect();
    this.way.send(() => this.arrived(append));
  }

  private arrived(append: Waiting): void {
    if (this.isRefused) return;
    const { store, node } = this.options;
    const refusal = store.append(this.owned, node, append.records);
    this.isRefused = refusal !== undefined;
    this.way.answer(() => this.answered(append, refusal));
  }

  /** An answer says the same of every append before its own. */
  private answered(append: Waiting, refusal: TroupeError | undefined): void {
    if (this.broken || !this.waiting.includes(append)) return;
    if (refusal) return this.breakOff(refusal);
    const count = this.waiting.indexOf(append) + 1;
    this.options.clock.uncounted.clearTimeout(this.timer);
    const done = this.waiting.splice(0, count);
    if (this.waiting.length > 0) this.expect();
    for (const { records, durable } of done) {
      this.options.acknowledged(this.owned.run, records);
      durable();
    }
  }

  private expect(): void {
    this.timer = this.options.clock.uncounted.setTimeout(() => this.breakOff(noAnswer()), answerMs);
  }

  private breakOff(error: TroupeError): void {
    this.broken = error;
    this.options.clock.uncounted.clearTimeout(this.timer);
    const { waiting } = this;
    this.waiting = [];
    for (const { durable } of waiting) durable(error);
  }
}

function noAnswer(): TroupeError {
  return new TroupeError('TRP_JOURNAL_IO', 'The simulated store did not answer in time.');
}

function copyOf(record: JournalRecord): JournalRecord {
  return toPlain(record) as unknown as JournalRecord;
}
