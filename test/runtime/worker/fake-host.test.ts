import { afterEach, describe, expect, it } from 'vitest';
import { createEmbeddedBus } from '../../../src/bus/embedded/embedded-bus.ts';
import type { Bus } from '../../../src/bus/bus.ts';
import { ctlSubject } from '../../../src/bus/subjects.ts';
import { attemptSubject, heartbeatSubject } from '../../../src/bus/worker-subjects.ts';
import { SimulatedClock } from '../../../src/core/simulated-clock.ts';
import type { Plain, PlainObject } from '../../../src/core/plain.ts';
import type { RunReport } from '../../../src/runtime/report.ts';
import type { RunHandle, Troupe } from '../../../src/runtime/api.ts';
import { createTroupe } from '../../../src/runtime/troupe.ts';
import { remoteTask, Stage } from './worker-kit.ts';

/** A host that says exactly what a test has it say, under a clock that the test moves. */
class FakeHost {
  readonly orders: PlainObject[] = [];
  private readonly bus: Bus;
  private readonly name: string;

  constructor(bus: Bus, name: string) {
    this.bus = bus;
    this.name = name;
    bus.subscribe(ctlSubject(bus.ns, name), (message) => {
      this.orders.push(message.payload as PlainObject);
      message.respond(true);
    });
  }

  beat(attempts: readonly Plain[] = []): void {
    const { name: host } = this;
    const about = { protocol: 1, type: 'heartbeat', host, pools: ['gpu'], slots: 1, free: 0 };
    const beat = { ...about, draining: false, attempts };
    this.bus.publish(heartbeatSubject(this.bus.ns, this.name), beat);
  }

  async take(): Promise<{ readonly label: PlainObject; readonly answer: Plain }> {
    const queue = await this.bus.workQueue('gpu');
    const item = await queue.pull({ waitMs: 600_000 });
    if (!item) throw new Error('no work came');
    const { run, task, operation, attempt, epoch } = item.payload as PlainObject;
    await item.ack();
    const label = { run, task, operation, attempt, epoch } as PlainObject;
    const answer = await this.say(label, { type: 'claim' });
    return { label, answer };
  }

  say(label: PlainObject, said: PlainObject): Promise<Plain> {
    const subject = attemptSubject(this.bus.ns, String(label['run']));
    return this.bus.request(subject, { protocol: 1, host: this.name, ...label, ...said });
  }

  async leave(label: PlainObject, output: Plain): Promise<void> {
    const log = await this.bus.log('res', String(label['run']));
    const result = { protocol: 1, type: 'result', host: this.name, ...label, output, changes: [] };
    await log.append(result);
  }
}

const stage = new Stage();
afterEach(() => stage.end());

interface World {
  readonly clock: SimulatedClock;
  readonly bus: Bus;
  readonly troupe: Troupe;
  readonly warnings: string[];
  run(document: object): Promise<RunHandle>;
  until(done: () => boolean): Promise<void>;
  outcome(handle: RunHandle): Promise<RunReport>;
}

async function world(): Promise<World> {
  const clock = new SimulatedClock();
  const bus = createEmbeddedBus({ clock, schedule: setImmediate });
  const warnings: string[] = [];
  const ignore = (): void => undefined;
  const warn = (text: string): void => void warnings.push(text);
  const logger = { debug: ignore, info: ignore, warn, error: warn };
  const { mkdtempSync, rmSync } = await import('node:fs');
  const { tmpdir } = await import('node:os');
  const dataDir = mkdtempSync(`${tmpdir()}/troupe-fake-host-`);
  stage.onEnd(() => Promise.resolve(rmSync(dataDir, { recursive: true, force: true })));
  const troupe = await createTroupe({ clock, bus, logger, dataDir, level: 'process' });
  const until = async (done: () => boolean): Promise<void> => {
    let turns = 0;
    while (!done() && turns++ < 200_000) {
      await new Promise((resolve) => setImmediate(resolve));
      if (!done() && turns % 20 === 0) clock.step();
    }
    expect(done()).toBe(true);
  };
  return {
    clock,
    bus,
    troupe,
    warnings,
    until,
    run: (document) => troupe.run(document),
    outcome: async (handle) => {
      let report: RunReport | undefined;
      void handle.outcome().then((ended) => (report = ended));
      await until(() => report !== undefined);
      let closed = false;
      void troupe.close().then(() => (closed = true));
      await until(() => closed);
      return report as unknown as RunReport;
    },
  };
}

async function within<Value>({ until }: World, promise: Promise<Value>): Promise<Value> {
  const settled: Value[] = [];
  void promise.then((value) => settled.push(value));
  await until(() => settled.length > 0);
  return settled[0] as Value;
}

const retry = { max_attempts: 2, initial: '1ms' };

describe('an attempt on a host that falls silent', () => {
  it('is lost ten seconds after its last sign of life, and its late result is refused and counted', async () => {
    const at = await world();
    const [silent, other] = [new FakeHost(at.bus, 'silent'), new FakeHost(at.bus, 'other')];
    const handle = await at.run(remoteTask({ retry }));
    const first = await within(at, silent.take());
    expect(first.answer).toEqual({ go: true, steps: {} });
    silent.beat([first.label]);
    const lastSign = at.clock.monotonic();
    // Told at once; what follows waits for files, while the clock goes on.
    await at.until(() => silent.orders.some(({ type }) => type === 'abort'));
    const silenceMs = at.clock.monotonic() - lastSign;
    const second = await within(at, other.take());
    expect(silenceMs).toBeGreaterThan(10_000);
    expect(silenceMs).toBeLessThanOrEqual(12_100);
    expect(second.label).toEqual({ ...first.label, attempt: 2 });
    await within(at, silent.leave(first.label, 'too late'));
    expect(handle.report().census.succeeded).toBe(0);
    await within(at, other.leave(second.label, 'in time'));
    await within(at, other.leave(second.label, 'again'));
    const report = await at.outcome(handle);
    expect(report.outputs).toEqual({ t: 'in time' });
    expect(report.census).toMatchObject({ succeeded: 1, late: 1 });
  });

  it('is ended there when the host is heard of again', async () => {
    const at = await world();
    const [silent, other] = [new FakeHost(at.bus, 'silent'), new FakeHost(at.bus, 'other')];
    const handle = await at.run(remoteTask({ retry }));
    const first = await within(at, silent.take());
    const second = await within(at, other.take());
    silent.orders.length = 0;
    silent.beat([first.label]);
    await at.until(() => silent.orders.some(({ type }) => type === 'abort'));
    expect(silent.orders[0]).toMatchObject({ ...first.label, type: 'abort' });
    await within(at, other.leave(second.label, 1));
    await at.outcome(handle);
  });
});

describe('who may begin an attempt', () => {
  it('is one host at a time, of the epoch and the attempt that are current', async () => {
    const at = await world();
    const [first, other] = [new FakeHost(at.bus, 'first'), new FakeHost(at.bus, 'other')];
    const handle = await at.run(remoteTask({ retry }));
    const { label } = await within(at, first.take());
    const claim = { type: 'claim' };
    expect(await within(at, other.say(label, claim))).toEqual({ go: false });
    expect(await within(at, first.say(label, claim))).toEqual({ go: true, steps: {} });
    const older = { ...label, epoch: Number(label['epoch']) - 1 };
    expect(await within(at, first.say(older, claim))).toEqual({ go: false });
    const later = { ...label, attempt: 2 };
    expect(await within(at, first.say(later, claim))).toEqual({ go: false });
    await within(at, first.leave(older, 'of another epoch'));
    await within(at, first.leave(label, 'right'));
    expect((await at.outcome(handle)).outputs).toEqual({ t: 'right' });
  });
});

describe('a pool that nobody serves', () => {
  it('is told of, and its attempts fail when their wait is over', async () => {
    const at = await world();
    const handle = await at.run(remoteTask({ retry: { max_attempts: 1 } }, { wait: '1m' }));
    const events: string[] = [];
    void (async () => {
      for await (const { type } of handle.events()) events.push(type);
    })();
    const report = await at.outcome(handle);
    expect(report.tasks[0]).toMatchObject({ error: { code: 'TRP_POOL_UNSERVED' }, attempts: 1 });
    expect(report.tasks[0]?.finished_ms).toBeGreaterThanOrEqual(60_000);
    expect(events.filter((type) => type === 'pool.unserved')).toHaveLength(1);
    expect(at.warnings).toContain('no worker host serves pool gpu');
  });

  it("counts against a task's deadline, not against its timeout", async () => {
    const at = await world();
    const handle = await at.run(remoteTask({ timeout: '5s', deadline: '30s' }));
    const report = await at.outcome(handle);
    const [task] = report.tasks;
    expect(task).toMatchObject({ outcome: 'timed_out', reason: 'deadline_exceeded', attempts: 1 });
    expect(task?.finished_ms).toBeGreaterThanOrEqual(30_000);
  });
});
