import { describe, expect, it } from 'vitest';
import type { TaskContext, TaskFunction } from '../../src/actors/behaviours/behaviour.ts';
import { SimulatedClock } from '../../src/core/simulated-clock.ts';
import { createTroupe } from '../../src/runtime/troupe.ts';
import type { RunEvent, TroupeOptions } from '../../src/runtime/api.ts';
import type { RunReport } from '../../src/runtime/report.ts';
import { SimulatedProvider } from '../support/simulated-provider.ts';

/** Runs a document under the simulated clock with a provider that counts. */
async function carryOut(
  document: object,
  clock: SimulatedClock,
  options: TroupeOptions,
): Promise<{
  report: RunReport;
  records: readonly { readonly type: string }[];
  pauses: readonly RunEvent[];
}> {
  const troupe = await createTroupe({ clock, ...options });
  const handle = await troupe.run({ version: 1, name: 'calls', ...document });
  const pauses: RunEvent[] = [];
  void (async () => {
    for await (const event of handle.events())
      if (event.type === 'provider.paused') pauses.push(event);
  })();
  let ended = false;
  const outcome = handle.outcome().finally(() => {
    ended = true;
  });
  await clock.runUntil(() => ended);
  const records = await troupe.records(handle.id);
  await troupe.close();
  return { report: await outcome, records, pauses };
}

const branches = (count: number, rest: object = {}): object =>
  Object.fromEntries(
    Array.from({ length: count }, (_, index) => [`t${index}`, { agent: 'caller', ...rest }]),
  );

const agents = { caller: { uses: 'function', module: 'host:call', provider: 'llm' } };

function caller(server: SimulatedProvider): TaskFunction {
  return async ({ provider, operation }: TaskContext) =>
    provider().call({ tokens: 100 }, async () => {
      await server.handle(operation);
      return { value: operation, usage: { input_tokens: 60, output_tokens: 40, cost: 0.01 } };
    });
}

describe('a hundred branches of a provider that refuses', () => {
  it('lose nothing and take little longer than the quota, where the limit is declared', async () => {
    const clock = new SimulatedClock();
    const server = new SimulatedProvider(clock, { perMinute: 20, latencyMs: 2_000 });
    const { report } = await carryOut(
      { agents, providers: { llm: { requests_per_minute: 20 } }, tasks: branches(100) },
      clock,
      { functions: { call: caller(server) }, concurrency: 100 },
    );
    expect(report.census.succeeded).toBe(100);
    expect(report.tasks.every(({ attempts }) => attempts === 1)).toBe(true);
    expect(server.refused).toBe(0);
    expect(server.accepted).toBe(100);
    expect(report.metrics.wall_ms).toBeLessThanOrEqual(1.3 * server.boundMs(100));
  });

  it('lose nothing either where it has to be learnt, with few calls in vain', async () => {
    const clock = new SimulatedClock();
    const server = new SimulatedProvider(clock, { perMinute: 20, latencyMs: 2_000 });
    const { report } = await carryOut(
      { agents, providers: { llm: {} }, tasks: branches(100) },
      clock,
      { functions: { call: caller(server) }, concurrency: 100 },
    );
    expect(report.census.succeeded).toBe(100);
    expect(report.tasks.every(({ attempts }) => attempts === 1)).toBe(true);
    expect(server.accepted).toBe(100);
    expect(server.accepted + server.refused).toBeLessThanOrEqual(1.3 * 100);
    expect(report.metrics.wall_ms).toBeLessThanOrEqual(1.3 * server.boundMs(100));
  });

  it('follow a limit that halves and doubles while they run', async () => {
    const clock = new SimulatedClock();
    const server = new SimulatedProvider(clock, { perMinute: 60, latencyMs: 1_000 });
    clock.setTimeout(() => (server.perMinute = 30), 3 * 60_000);
    clock.setTimeout(() => (server.perMinute = 60), 13 * 60_000);
    const { report } = await carryOut(
      { agents, providers: { llm: { requests_per_minute: 60 } }, tasks: branches(1_000) },
      clock,
      { functions: { call: caller(server) }, concurrency: 1_000 },
    );
    expect(report.census.succeeded).toBe(1_000);
    // 180 before, 300 while it is halved, the rest after.
    const boundMs = (3 + 10 + (1_000 - 180 - 300) / 60) * 60_000;
    expect(report.metrics.wall_ms).toBeLessThanOrEqual(1.3 * boundMs);
    expect(server.refused).toBeLessThan(0.1 * 1_000);
  });
});

describe('a provider of which no rate is known', () => {
  /** Accepts everything but the calls with these numbers. */
  const refusing = (numbers: readonly number[], retryAfter: string) => {
    const clock = new SimulatedClock();
    const times: number[] = [];
    const call: TaskFunction = ({ provider }: TaskContext) =>
      provider().call({ tokens: 20 }, async () => {
        const number = times.push(clock.now());
        if (numbers.includes(number))
          throw Object.assign(new Error('too many'), {
            status: 429,
            headers: new Headers({ 'retry-after': retryAfter }),
          });
        await new Promise<void>((resolve) => clock.setTimeout(resolve, 100));
        return { value: number };
      });
    const document = {
      agents,
      providers: { llm: { concurrency: { max: 3 } } },
      tasks: branches(30),
    };
    return {
      clock,
      times,
      run: () => carryOut(document, clock, { functions: { call }, concurrency: 4 }),
    };
  };

  it('goes on at full speed after one refusal, once the wait that it asks for is over', async () => {
    const { run, times } = refusing([12], '1');
    const { report, pauses } = await run();
    expect(report.census.succeeded).toBe(30);
    const { llm } = report.providers;
    expect(llm).toMatchObject({ calls: 31, refused: 1 });
    expect(llm?.paused_ms).toBeGreaterThanOrEqual(1_000);
    expect(llm?.paused_ms).toBeLessThanOrEqual(1_100);
    // Four at one time are held back for that long.
    expect(llm?.wait_ms).toBeGreaterThanOrEqual(3_000);
    expect(pauses).toEqual([
      expect.objectContaining({ type: 'provider.paused', provider: 'llm', for_ms: llm?.paused_ms }),
    ]);
    const [begin = NaN] = times;
    // Eleven calls in four turns of three at one time, then nineteen of one to three at one time.
    const pauseEnds = 300 + 1_000;
    expect((times[12] ?? NaN) - begin).toBeGreaterThanOrEqual(pauseEnds);
    expect((times.at(-1) ?? NaN) - begin).toBeLessThanOrEqual(pauseEnds + 2_000);
  });

  it.each([
    [[12, 13, 14], '2'],
    [[12, 13, 14, 15], '1'],
    [[12, 15, 18], '1'],
  ])('is never left alone for long without being asked to: %j', async (numbers, retryAfter) => {
    const { run, times } = refusing(numbers, retryAfter);
    const { report } = await run();
    expect(report.census.succeeded).toBe(30);
    const gaps = times.slice(1).map((at, index) => at - (times[index] ?? NaN));
    expect(Math.max(...gaps)).toBeLessThanOrEqual(20_000);
    expect((times.at(-1) ?? NaN) - (times[0] ?? NaN)).toBeLessThanOrEqual(40_000);
  });

  it('loses nothing where every refusal asks for a second only, and the limit is twenty a minute', async () => {
    const clock = new SimulatedClock();
    const server = new SimulatedProvider(clock, { perMinute: 20, latencyMs: 2_000 });
    const call: TaskFunction = ({ provider, operation }: TaskContext) =>
      provider().call({}, async () => {
        await server.handle(operation).catch((error: unknown) => {
          throw Object.assign(error as Error, { headers: { 'retry-after': '1' } });
        });
        return { value: operation };
      });
    const document = { agents, providers: { llm: {} }, tasks: branches(100) };
    const { report } = await carryOut(document, clock, { functions: { call }, concurrency: 100 });
    expect(report.census.succeeded).toBe(100);
    expect(report.metrics.wall_ms).toBeLessThanOrEqual(1.4 * server.boundMs(100));
    expect(server.refused).toBeLessThanOrEqual(30);
  });
});

describe('waiting for a provider', () => {
  it('goes by the priority of the tasks', async () => {
    const clock = new SimulatedClock();
    const server = new SimulatedProvider(clock, { perMinute: 1_000, latencyMs: 100 });
    const { report } = await carryOut(
      {
        agents,
        providers: { llm: { requests_per_minute: 1 } },
        tasks: {
          first: { agent: 'caller', priority: 10 },
          low: { agent: 'caller', priority: 1 },
          high: { agent: 'caller', priority: 9 },
        },
      },
      clock,
      { functions: { call: caller(server) } },
    );
    const end = (id: string): number =>
      report.tasks.find((task) => task.id === id)?.finished_ms ?? NaN;
    expect(end('first')).toBeLessThan(end('high'));
    expect(end('high')).toBeLessThan(end('low'));
  });

  it('does not count as time of the attempt, but as time of the task', async () => {
    const clock = new SimulatedClock();
    const server = new SimulatedProvider(clock, { perMinute: 1_000, latencyMs: 1_000 });
    const document = (rest: object): object => ({
      agents,
      providers: { llm: { requests_per_minute: 1 } },
      tasks: branches(3, rest),
    });
    const options = { functions: { call: caller(server) } };
    const timed = await carryOut(document({ timeout: '5s', retry: 1 }), clock, options);
    expect(timed.report.census.succeeded).toBe(3);
    const due = await carryOut(document({ deadline: '5s', retry: 1 }), new SimulatedClock(), {
      functions: {
        call: ({ provider }) => provider().call({}, () => ({ value: null })),
      },
    });
    expect(due.report.census).toMatchObject({ succeeded: 1, timed_out: 2 });
  });

  it('ends with the attempt, and leaves its place to others', async () => {
    const clock = new SimulatedClock();
    const server = new SimulatedProvider(clock, { perMinute: 1_000, latencyMs: 30_000 });
    const { report } = await carryOut(
      {
        agents,
        providers: { llm: { concurrency: 1 } },
        tasks: {
          long: { agent: 'caller', priority: 9 },
          given_up: { agent: 'caller', deadline: '5s', priority: 8 },
          patient: { agent: 'caller', priority: 1 },
        },
      },
      clock,
      { functions: { call: caller(server) } },
    );
    const outcomes = Object.fromEntries(report.tasks.map(({ id, outcome }) => [id, outcome]));
    expect(outcomes).toEqual({ long: 'succeeded', given_up: 'timed_out', patient: 'succeeded' });
    expect(report.metrics.wall_ms).toBe(60_000);
    expect(server.accepted).toBe(2);
  });

  it('lets the calls of a run go on that a running task has started', async () => {
    const clock = new SimulatedClock();
    const server = new SimulatedProvider(clock, { perMinute: 1_000, latencyMs: 1_000 });
    const troupe = await createTroupe({
      clock,
      concurrency: 8,
      providers: { llm: { concurrency: 1, requests_per_minute: 4 } },
      functions: {
        call: caller(server),
        parent: async (context) => {
          await caller(server)(context);
          const child = await troupe.run({
            version: 1,
            agents,
            providers: { llm: {} },
            tasks: branches(2),
          });
          return (await child.outcome()).status;
        },
      },
    });
    const handle = await troupe.run({
      version: 1,
      agents: { ...agents, parent: { uses: 'function', module: 'host:parent', provider: 'llm' } },
      providers: { llm: {} },
      tasks: { a: { agent: 'parent' }, b: { agent: 'parent' }, c: { agent: 'caller' } },
    });
    let ended = false;
    const outcome = handle.outcome().finally(() => (ended = true));
    expect(await clock.runUntil(() => ended)).toBe(true);
    expect((await outcome).outputs).toMatchObject({ a: 'succeeded', b: 'succeeded' });
    expect(server.accepted).toBe(7);
    expect(server.mostInFlight).toBe(1);
    await troupe.close();
  });
});

describe('a provider', () => {
  const clock = (): SimulatedClock => new SimulatedClock();

  it('is named in the document that has an agent for it', async () => {
    const troupe = await createTroupe();
    const run = troupe.run({ version: 1, agents, providers: { lm: {} }, tasks: branches(1) });
    await expect(run).rejects.toThrow(/"llm" that is not defined/);
    await troupe.close();
  });

  it('that nobody has described fails the attempt for good, and says which there are', async () => {
    const { report } = await carryOut(
      { agents, providers: { llm: {} }, tasks: branches(1) },
      clock(),
      {
        functions: { call: ({ provider }) => provider('other').call({}, () => ({ value: 1 })) },
        providers: { more: {} },
      },
    );
    expect(report.tasks[0]?.error).toMatchObject({
      code: 'TRP_WORKFLOW_UNKNOWN_REF',
      hint: 'There are more, llm.',
    });
    expect(report.tasks[0]?.attempts).toBe(1);
  });

  it('passes on every error that is no refusal, with what it says about waiting', async () => {
    const busy = Object.assign(new Error('busy'), { status: 418, headers: { 'retry-after': '9' } });
    const { records } = await carryOut(
      { agents, providers: { llm: {} }, tasks: branches(1) },
      clock(),
      {
        functions: {
          call: ({ provider, attempt }) =>
            provider().call({}, () => {
              if (attempt === 1) throw busy;
              return { value: 1 };
            }),
        },
      },
    );
    const failed = records.find(({ type }) => type === 'attempt.failed') as unknown as {
      at: number;
      retryAt: number;
    };
    expect(failed.retryAt - failed.at).toBe(9_000);
  });

  it('refuses a call that a whole minute has not tokens enough for', async () => {
    const { report } = await carryOut(
      { agents, providers: { llm: { tokens_per_minute: 10 } }, tasks: branches(1) },
      clock(),
      {
        functions: {
          call: ({ provider }) => provider().call({ tokens: 11 }, () => ({ value: 1 })),
        },
      },
    );
    expect(report.tasks[0]?.error?.code).toBe('TRP_WORKFLOW_UNSATISFIABLE');
  });

  it('has the limits that the process says, whatever the document says', async () => {
    const time = clock();
    const server = new SimulatedProvider(time, { perMinute: 1_000, latencyMs: 10 });
    const { report } = await carryOut(
      { agents, providers: { llm: { requests_per_minute: 1 } }, tasks: branches(5) },
      time,
      { functions: { call: caller(server) }, providers: { llm: { requests_per_minute: 100 } } },
    );
    expect(report.metrics.wall_ms).toBe(10);
  });

  it.each([
    [{ llm: { requests_per_minute: 0 } }, /providers\.llm\.requests_per_minute/],
    [{ llm: { rpm: 3 } as object }, /providers\.llm\.rpm/],
    [{ llm: { concurrency: { max: 1.5 } } }, /concurrency\.max/],
    [{ llm: { models: { big: { tokens_per_minute: -1 } } } }, /models\.big\.tokens_per_minute/],
  ])('is refused as an option where it makes no sense: %j', async (providers, message) => {
    await expect(createTroupe({ providers })).rejects.toThrow(message);
  });
});
