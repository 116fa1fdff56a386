import type { Bus, Subscription } from '../../../src/bus/bus.ts';
import type { EventLog } from '../../../src/bus/event-log.ts';
import type { KeyBucket } from '../../../src/bus/key-bucket.ts';
import type { Plain } from '../../../src/core/plain.ts';
import type { DeadLetter, WorkItem, WorkQueue } from '../../../src/bus/work-queue.ts';
import { eventually } from '../../support/eventually.ts';
import { settled } from '../bus/under-test.ts';
import type { Expectation, Operation } from './operations.ts';
import { Ranks } from './ranks.ts';

type Part<Name extends Operation['part']> = Extract<Operation, { part: Name }>;
type Step<Type extends Operation['type']> = Extract<Operation, { type: Type }>;

/** What a story works with on one bus; the queue is made when it is first needed, for a server pays for each pool. */
interface Parts {
  readonly bucket: KeyBucket;
  readonly logs: ReadonlyMap<string, EventLog>;
}

/** What a subscription, a follower or a watch has heard so far. */
export interface Heard {
  readonly what: string;
  readonly events: unknown[];
}

/**
 * Tells one bus a story, step by step, and writes down what comes of it in words that do not depend on the bus:
 * sequence numbers and revisions as ranks, errors as codes, the deliveries of a queue group without the member.
 */
export class Teller {
  /** Everything that was heard, to be compared at the end. */
  readonly heard: Heard[] = [];
  private readonly bus: Bus;
  /** First token of all that this story names: stories share a bus. */
  private readonly name: string;
  private queue: Promise<WorkQueue> | undefined;
  private readonly bucket: KeyBucket;
  private readonly logs: ReadonlyMap<string, EventLog>;
  private readonly subscriptions: Subscription[] = [];
  private readonly endings: (() => void)[] = [];
  private readonly groups = new Map<string, Heard>();
  private readonly held = new Map<string, WorkItem>();
  private readonly ranks = new Map<string, Ranks>();
  private readonly revisions: { [key: string]: number[] } = {};
  private added = 0;

  private constructor(bus: Bus, name: string, parts: Parts) {
    this.bus = bus;
    this.name = name;
    this.bucket = parts.bucket;
    this.logs = parts.logs;
  }

  static async begin(bus: Bus, name: string): Promise<Teller> {
    const bucket = await bus.keys('differential', { history: 3 });
    const logs = new Map<string, EventLog>();
    for (const log of ['one', 'two']) logs.set(log, await bus.log('jrn', `${name}.${log}`));
    return new Teller(bus, name, { bucket, logs });
  }

  /** What a step gave, once it can change no more. */
  async tell(operation: Operation): Promise<unknown> {
    try {
      return await this.carryOut(operation);
    } catch (error) {
      const { code } = error as { code?: string };
      if (code === undefined) throw error;
      return code;
    } finally {
      await settled(this.bus);
    }
  }

  end(): void {
    for (const subscription of this.subscriptions) subscription.unsubscribe();
    for (const end of this.endings) end();
  }

  private carryOut(operation: Operation): unknown {
    switch (operation.part) {
      case 'messages':
        return this.messageStep(operation);
      case 'work':
        return this.workStep(operation);
      case 'log':
        return this.logStep(operation);
      case 'keys':
        return this.keyStep(operation);
    }
  }

  private messageStep(operation: Part<'messages'>): unknown {
    switch (operation.type) {
      case 'publish':
        return this.bus.publish(this.subject(operation.subject), operation.n);
      case 'subscribe':
        return this.subscribe(operation);
      case 'unsubscribe':
        return chosen(this.subscriptions, operation.which)?.unsubscribe();
      case 'request':
        return this.bus.request(this.subject(operation.subject), operation.n);
    }
  }

  private async workStep(operation: Part<'work'>): Promise<unknown> {
    this.queue ??= this.bus.workQueue(this.name, { maxDeliveries: 3 });
    const queue = await this.queue;
    switch (operation.type) {
      case 'add':
        return queue.add(++this.added, { id: operation.id, level: operation.level });
      case 'pull all':
        return this.pullAll(queue);
      case 'settle':
        return this.settle(operation);
      case 'letters':
        return (await queue.deadLetters()).map(withoutNumber);
      case 'forget':
        return forget(queue, operation.which);
      case 'depth':
        return queue.depth();
    }
  }

  private logStep(operation: Part<'log'>): unknown {
    const log = this.logs.get(operation.log) as EventLog;
    const ranks = this.ranksOf(operation.log);
    switch (operation.type) {
      case 'append':
        return this.append(log, operation);
      case 'read':
        return this.read(log, ranks.numberAt(operation.from));
      case 'follow':
        return this.follow(log, ranks.numberAt(operation.from));
      case 'empty':
        return log.purge();
    }
  }

  private keyStep(operation: Part<'keys'>): unknown {
    switch (operation.type) {
      case 'write':
        return this.write(operation);
      case 'look':
        return this.look(operation);
      case 'keys':
        return this.listed(operation.pattern);
      case 'purge':
        return this.bucket.purge(this.subject(operation.pattern));
      case 'watch':
        return this.watch(operation);
    }
  }

  private subject(rest: string): string {
    return `${this.name}.${rest}`;
  }

  private short(subject: string): string {
    return subject.slice(this.name.length + 1);
  }

  private ranksOf(what: string): Ranks {
    let ranks = this.ranks.get(what);
    if (!ranks) this.ranks.set(what, (ranks = new Ranks()));
    return ranks;
  }

  /** Every subscription answers, and all alike, so that a request ends in one way only. */
  private subscribe({ pattern, queue }: Step<'subscribe'>): void {
    const heard = queue === undefined ? this.hear(pattern) : this.group(queue);
    const subscription = this.bus.subscribe(
      this.subject(pattern),
      (message) => {
        heard.events.push([this.short(message.subject), message.payload]);
        message.respond({ echo: message.payload });
      },
      queue === undefined ? {} : { queue: `${this.name}-${queue}` },
    );
    this.subscriptions.push(subscription);
  }

  /** All that the members of a group hear together, for any of them may be chosen. */
  private group(queue: string): Heard {
    const heard = this.groups.get(queue) ?? this.hear(`queue group ${queue}`);
    this.groups.set(queue, heard);
    return heard;
  }

  private hear(what: string): Heard {
    const heard = { what, events: [] };
    this.heard.push(heard);
    return heard;
  }

  /** All items that there are, so that it does not matter in which place a redelivered one comes. */
  private async pullAll(queue: WorkQueue): Promise<unknown> {
    const got: { level: string; id: string; payload: Plain; deliveries: number }[] = [];
    for (;;) {
      const item = await queue.pull();
      if (!item) break;
      const { id, level, payload, deliveries } = item;
      this.held.set(id, item);
      got.push({ level, id, payload, deliveries });
    }
    const levels = got.map(({ level }) => level);
    const again = got.filter(({ deliveries }) => deliveries > 1);
    return {
      levels,
      fresh: got.filter(({ deliveries }) => deliveries === 1),
      again: again.toSorted((a, b) => (a.id < b.id ? -1 : 1)),
    };
  }

  private async settle({ how, which }: Step<'settle'>): Promise<unknown> {
    const id = chosen([...this.held.keys()].sort(), which);
    const item = id === undefined ? undefined : this.held.get(id);
    if (id === undefined || !item) return 'nothing held';
    if (how === 'ack') await item.ack();
    else if (how === 'nak') await item.nak();
    else if (how === 'term') await item.term('because');
    else await item.inProgress();
    return `${how} ${id}`;
  }

  private async append(
    log: EventLog,
    { log: name, op, expected }: Step<'append'>,
  ): Promise<unknown> {
    const ranks = this.ranksOf(name);
    const last = await log.lastSeq();
    const expectedSeq = { latest: last, stale: ranks.numberBefore(last), zero: 0, none: undefined };
    const wanted = expectedSeq[expected];
    const options = { op, ...(wanted === undefined ? {} : { expectedSeq: wanted }) };
    const seq = await log.append({ n: ++this.added }, options);
    return ranks.of(seq);
  }

  private async read(log: EventLog, from: number): Promise<unknown> {
    const entries: unknown[] = [];
    for await (const { payload, op } of log.read({ from })) entries.push([payload, op]);
    return entries;
  }

  private async follow(log: EventLog, from: number): Promise<void> {
    const { events } = this.hear(`log ${log.name}`);
    const following = await log.follow(({ payload, op }) => void events.push([payload, op]), {
      from,
      caughtUp: () => void events.push('caught up'),
    });
    this.endings.push(() => following.stop());
    await eventually('the follower caught up', () => events.includes('caught up'));
  }

  private async write({ how, key, expected }: Step<'write'>): Promise<unknown> {
    const [full, value] = [this.subject(key), { n: ++this.added }];
    const revision = this.expectedRevision(key, expected);
    const revisionOf = {
      put: () => this.bucket.put(full, value),
      create: () => this.bucket.create(full, value),
      update: () => this.bucket.update(full, value, revision ?? 0),
      delete: () => this.bucket.delete(full, revision),
    };
    const written = await revisionOf[how]();
    (this.revisions[key] ??= []).push(written);
    return this.ranksOf('keys').of(written);
  }

  private expectedRevision(key: string, expected: Expectation): number | undefined {
    const known = this.revisions[key] ?? [];
    return { latest: known.at(-1), stale: known.at(-2), zero: 0, none: undefined }[expected];
  }

  private async look({ how, key }: Step<'look'>): Promise<unknown> {
    const full = this.subject(key);
    const found = how === 'get' ? [await this.bucket.get(full)] : await this.bucket.history(full);
    const ranks = this.ranksOf('keys');
    return found.map((entry) => entry && [entry.value, ranks.of(entry.revision)]);
  }

  private async listed(pattern: string): Promise<unknown> {
    const found = await this.bucket.keys(this.subject(pattern));
    return found.map((key) => this.short(key));
  }

  private async watch({ pattern, after }: Step<'watch'>): Promise<void> {
    const ranks = this.ranksOf('keys');
    const { events } = this.hear(`watch of ${pattern} after ${after}`);
    const watch = await this.bucket.watch(
      this.subject(pattern),
      (event) => {
        if (event.type === 'ready') events.push('ready');
        else events.push([this.short(event.key), event.value]);
      },
      after === undefined ? {} : { after: ranks.known(after) },
    );
    this.endings.push(() => watch.stop());
    await eventually('the watch is ready', () => events.includes('ready'));
  }
}

/** The one that a number stands for; undefined when there is none. */
function chosen<T>(list: readonly T[], which: number): T | undefined {
  return list[which % Math.max(1, list.length)];
}

/** Its number is the bus's own, and its reason is for people. */
function withoutNumber({ id, level, payload, deliveries }: DeadLetter): object {
  return { id, level, payload, deliveries };
}

async function forget(queue: WorkQueue, which: number): Promise<boolean> {
  const letter = chosen(await queue.deadLetters(), which);
  return queue.forget(letter?.seq ?? 1_000_000);
}
