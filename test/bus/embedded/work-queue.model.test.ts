import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EmbeddedBus } from '../../../src/bus/embedded/embedded-bus.ts';
import { workLevels } from '../../../src/bus/work-queue.ts';
import type { WorkItem, WorkLevel, WorkQueue } from '../../../src/bus/work-queue.ts';
import { simulatedBus, turn } from './support.ts';

const limits = {
  ackWaitMs: 100,
  maxDeliveries: 3,
  dedupeWindowMs: 250,
  maxInFlight: 4,
  maxWaiting: 6,
};

/** An item as the naive queue has it; a list of such, looked through from the start each time, is the whole model. */
interface Row {
  readonly id: string;
  readonly level: WorkLevel;
  readonly addedAtMs: number;
  place: 'waiting' | 'held' | 'gone' | 'dead';
  deliveries: number;
  /** Held: when its time is over. Waiting: when it may be given. */
  dueMs: number;
  holder: number;
  /** Counts when it was taken in hand, or was last said to be at work. */
  armed: number;
}

interface Model {
  rows: Row[];
  nowMs: number;
  reasons: string[];
  armings: number;
}

interface Real {
  readonly queue: WorkQueue;
  readonly pass: (ms: number) => Promise<void>;
  readonly held: WorkItem[];
  readonly bus: EmbeddedBus;
}

const count = (model: Model, place: Row['place']): number =>
  model.rows.filter((row) => row.place === place).length;

/** What the passing of time does. */
function settleTime(model: Model): void {
  const over = model.rows.filter((row) => row.place === 'held' && row.dueMs <= model.nowMs);
  for (const row of over.sort((a, b) => a.armed - b.armed)) giveBack(model, row, 0);
}

function giveBack(model: Model, row: Row, delayMs: number): void {
  if (row.deliveries >= limits.maxDeliveries) {
    row.place = 'dead';
    model.reasons.push(`${row.id}: delivered ${row.deliveries} times and never acknowledged`);
  } else {
    row.place = 'waiting';
    row.dueMs = model.nowMs + delayMs;
  }
}

abstract class Step implements fc.AsyncCommand<Model, Real> {
  abstract carryOut(model: Model, real: Real): Promise<void>;

  check(): boolean {
    return true;
  }

  async run(model: Model, real: Real): Promise<void> {
    await this.carryOut(model, real);
    await turn();
    const depth = await real.queue.depth();
    const waiting = Object.fromEntries(
      workLevels.map((level) => [
        level,
        model.rows.filter((row) => row.place === 'waiting' && row.level === level).length,
      ]),
    );
    expect(depth).toEqual({
      waiting,
      inFlight: count(model, 'held'),
      deadLetters: count(model, 'dead'),
    });
    const letters = await real.queue.deadLetters();
    expect(letters.map(({ id, reason }) => `${id}: ${reason}`)).toEqual(model.reasons);
  }
}

class Add extends Step {
  private readonly id: string;
  private readonly level: WorkLevel;

  constructor(id: string, level: WorkLevel) {
    super();
    this.id = id;
    this.level = level;
  }

  override async carryOut(model: Model, { queue }: Real): Promise<void> {
    const { id, level } = this;
    const known = model.rows.some(
      (row) => row.id === id && row.addedAtMs + limits.dedupeWindowMs >= model.nowMs,
    );
    const added = queue.add(model.rows.length, { id, level });
    if (known) expect(await added).toEqual({ duplicate: true });
    else if (count(model, 'waiting') >= limits.maxWaiting)
      await expect(added).rejects.toMatchObject({ code: 'TRP_BUS_FULL' });
    else {
      expect(await added).toEqual({ duplicate: false });
      const { nowMs } = model;
      model.rows.push({
        id,
        level,
        addedAtMs: nowMs,
        dueMs: nowMs,
        place: 'waiting',
        deliveries: 0,
        holder: 0,
        armed: 0,
      });
    }
  }

  override toString(): string {
    return `add(${this.id}, ${this.level})`;
  }
}

class Pull extends Step {
  override async carryOut(model: Model, { queue, held }: Real): Promise<void> {
    const item = await queue.pull();
    const ready = model.rows.filter((row) => row.place === 'waiting' && row.dueMs <= model.nowMs);
    const level = workLevels.find((each) => ready.some((row) => row.level === each));
    if (level === undefined || count(model, 'held') >= limits.maxInFlight) {
      expect(item).toBeUndefined();
      return;
    }
    expect(item?.level).toBe(level);
    const first = ready.find((row) => row.level === level && row.deliveries === 0);
    const row = model.rows[item?.payload as number] as Row;
    expect(ready).toContain(row);
    expect(row.deliveries > 0 || row === first).toBe(true);
    row.place = 'held';
    row.deliveries++;
    row.holder = row.deliveries;
    row.dueMs = model.nowMs + limits.ackWaitMs;
    row.armed = ++model.armings;
    expect(item).toMatchObject({ id: row.id, deliveries: row.deliveries });
    held.push(item as WorkItem);
  }

  override toString(): string {
    return 'pull()';
  }
}

type Verb = 'ack' | 'nak' | 'nak later' | 'inProgress' | 'term';

class Settle extends Step {
  private readonly index: number;
  private readonly verb: Verb;

  constructor(index: number, verb: Verb) {
    super();
    this.index = index;
    this.verb = verb;
  }

  override async carryOut(model: Model, { held }: Real): Promise<void> {
    const item = held[this.index % Math.max(1, held.length)];
    if (!item) return;
    const row = model.rows[item.payload as number] as Row;
    const done = settle(item, this.verb);
    const mayStill =
      row.holder === item.deliveries && (row.place === 'held' || row.place === 'waiting');
    if (!mayStill) {
      await expect(done).rejects.toMatchObject({ code: 'TRP_BUS_NOT_HELD' });
      return;
    }
    await done;
    this.apply(model, row);
  }

  private apply(model: Model, row: Row): void {
    if (this.verb === 'inProgress') {
      row.place = 'held';
      row.dueMs = model.nowMs + limits.ackWaitMs;
      row.armed = ++model.armings;
      return;
    }
    row.holder = 0;
    if (this.verb === 'ack') row.place = 'gone';
    else if (this.verb === 'term') {
      row.place = 'dead';
      model.reasons.push(`${row.id}: no use`);
    } else giveBack(model, row, this.verb === 'nak' ? 0 : 70);
  }

  override toString(): string {
    return `${this.verb}(${this.index})`;
  }
}

function settle(item: WorkItem, verb: Verb): Promise<void> {
  if (verb === 'nak') return item.nak();
  if (verb === 'nak later') return item.nak(70);
  return verb === 'term' ? item.term('no use') : item[verb]();
}

class Pass extends Step {
  private readonly ms: number;

  constructor(ms: number) {
    super();
    this.ms = ms;
  }

  override async carryOut(model: Model, { pass }: Real): Promise<void> {
    // Millisecond by millisecond, so that deaths at different times stand in the order of time.
    await pass(this.ms);
    for (let n = 0; n < this.ms; n++) {
      model.nowMs++;
      settleTime(model);
    }
  }

  override toString(): string {
    return `pass(${this.ms})`;
  }
}

const commands = [
  fc
    .tuple(
      fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'),
      fc.constantFrom(...workLevels),
    )
    .map(([id, level]) => new Add(id, level)),
  fc.constant(new Pull()),
  fc
    .tuple(fc.nat(9), fc.constantFrom<Verb>('ack', 'nak', 'nak later', 'inProgress', 'term'))
    .map(([index, verb]) => new Settle(index, verb)),
  fc.constantFrom(1, 30, 69, 70, 71, 99, 100, 101, 251).map((ms) => new Pass(ms)),
];

describe('the work queue', () => {
  it('does what a list of rows does, in any story', async () => {
    await fc.assert(
      fc.asyncProperty(fc.commands(commands, { size: '+1', maxCommands: 60 }), async (story) => {
        const { bus, pass, clock } = simulatedBus();
        const queue = await bus.workQueue('pool', limits);
        await fc.asyncModelRun(
          () => ({
            model: { rows: [], nowMs: 0, reasons: [], armings: 0 },
            real: { queue, pass, held: [], bus },
          }),
          story,
        );
        await bus.close();
        expect(clock.step()).toBe(false);
      }),
      { numRuns: 200 },
    );
  });
});
