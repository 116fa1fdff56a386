import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { TaskFunction } from '../../../src/actors/behaviours/behaviour.ts';
import { createFunctionBehaviour } from '../../../src/actors/behaviours/function.ts';
import { SimulatedClock } from '../../../src/core/simulated-clock.ts';
import { seededRandom } from '../../../src/core/random.ts';
import { abortedPort, cancelled, failureOf, fixtures, run, start } from './attempt-kit.ts';
import type { AttemptInput } from './attempt-kit.ts';

const module = join(fixtures, 'functions.mjs');

function behaviourOf(
  functions: { [name: string]: TaskFunction } = {},
  clock = new SimulatedClock(),
) {
  return createFunctionBehaviour({ clock, functions });
}

function calling(fn: TaskFunction, input: AttemptInput = {}) {
  return start(behaviourOf({ fn }), { ...input, agent: { ...input.agent, module: 'host:fn' } });
}

function named(name: string, input: AttemptInput = {}) {
  return run(behaviourOf(), { ...input, agent: { module, export: name, ...input.agent } });
}

describe('loading', () => {
  it('calls an export of a module by path, by relative path and by URL', async () => {
    for (const address of [module, './functions.mjs', pathToFileURL(module).href]) {
      const result = await named('echo', { input: [1, { two: 3 }], agent: { module: address } });
      expect(result).toEqual({ output: [1, { two: 3 }], changes: [] });
    }
  });

  it('finds a package by its bare name', async () => {
    const failure = await failureOf(named('nothing', { agent: { module: 'picocolors' } }));
    expect(failure.code).toBe('TRP_WORKFLOW_MODULE');
    expect(failure.place).toContain('picocolors');
  });

  it('loads a module once', async () => {
    const behaviour = behaviourOf();
    const agent = { module, export: 'count' };
    const first = await run(behaviour, { agent });
    const second = await run(behaviour, { agent });
    expect(second.output).toBe(Number(first.output) + 1);
  });

  it('names the exports that exist when one is missing', async () => {
    const failure = await failureOf(named('ecco'));
    expect(failure).toMatchObject({ code: 'TRP_WORKFLOW_MODULE', errorClass: 'permanent' });
    expect(failure.message).toContain('ecco');
    expect(failure.place).toContain('functions.mjs');
    expect(failure.hint).toContain('echo');
  });

  it('tells a missing module from one that throws', async () => {
    const missing = await failureOf(
      named('echo', { agent: { module: join(fixtures, 'none.mjs') } }),
    );
    const broken = await failureOf(
      named('echo', { agent: { module: join(fixtures, 'broken.mjs') } }),
    );
    expect(missing.code).toBe('TRP_WORKFLOW_MODULE');
    expect(broken).toMatchObject({
      code: 'TRP_WORKFLOW_MODULE',
      message: 'The module cannot be loaded: this module does not load',
    });
  });

  it('names the functions that the host gave when one is missing', async () => {
    const behaviour = behaviourOf({ known: () => 1 });
    const failure = await failureOf(run(behaviour, { agent: { module: 'host:toString' } }));
    expect(failure).toMatchObject({ code: 'TRP_WORKFLOW_MODULE', hint: 'It gave known.' });
  });
});

describe('the context', () => {
  it('tells everything about the attempt', async () => {
    const agent = { module, export: 'default', with: { tone: 'dry' } };
    const { output } = await named('default', {
      attempt: 2,
      iteration: 3,
      feedback: 'again',
      agent,
    });
    expect(output).toEqual({
      run: 'run-1',
      task: 'write',
      operation: 'op-1',
      attempt: 2,
      iteration: 3,
      input: null,
      feedback: 'again',
      config: { tone: 'dry' },
    });
  });

  it('makes no signal for a function that does not look at it and settles without waiting', async () => {
    const sync = calling(() => 1);
    const quick = calling(async () => 2);
    expect(await sync.result).toEqual({ output: 1, changes: [] });
    expect(await quick.result).toEqual({ output: 2, changes: [] });
    expect([sync.port.signalsAsked, quick.port.signalsAsked]).toEqual([0, 0]);
  });

  it('draws random numbers by the seed', async () => {
    const expected = seededRandom(7);
    const { output } = await named('dice');
    expect(output).toEqual([expected(), expected(), expected()]);
  });

  it('passes progress on, texts as messages, until the attempt has settled', async () => {
    let kept: Parameters<TaskFunction>[0] | undefined;
    const { port, result } = calling((context) => {
      kept = context;
      context.progress('half');
      context.progress({ fraction: 0.5 });
      context.progress({ fraction: 7, message: (() => 1) as never });
      context.progress({ fraction: Number.NaN, message: 'odd' });
    });
    await result;
    kept?.progress('too late');
    expect(port.reports).toEqual([
      { message: 'half' },
      { fraction: 0.5 },
      { fraction: 1 },
      { message: 'odd' },
    ]);
  });
});

describe('memory', () => {
  const memory = { 'notes.a': 'theirs', 'notes.b': 'old', 'other.c': 1 };

  it('lets a function read its own writes and proposes them with its result', async () => {
    expect(await named('writes', { memory })).toEqual({
      output: {
        before: 'theirs',
        after: 'mine',
        own: ['first'],
        bare: ['first'],
        gone: null,
        keys: ['notes.a', 'other.c', 'writer.draft'],
        notes: ['notes.a'],
        revision: 5,
      },
      changes: [
        { key: 'notes.a', value: 'mine' },
        { key: 'draft', value: ['first'] },
        { key: 'notes.b', deleted: true },
      ],
    });
  });

  it('takes the value as it was when it was written', async () => {
    const { result } = calling(({ memory: mine }) => {
      const value = ['before'];
      mine.set('a.b', value);
      value.push('after');
    });
    expect((await result).changes).toEqual([{ key: 'a.b', value: ['before'] }]);
  });

  it('refuses values that are not plain and keys that are none', async () => {
    const notPlain = calling(({ memory: mine }) => mine.set('a.b', (() => 1) as never));
    const noKey = calling(({ memory: mine }) => mine.set('', 1));
    expect((await failureOf(notPlain.result)).code).toBe('TRP_PLAIN_DATA');
    expect((await failureOf(noKey.result)).message).toContain('memory key');
  });
});

describe('steps', () => {
  it('runs each step once and waits until it is recorded', async () => {
    const { port, result } = start(behaviourOf(), { agent: { module, export: 'steps' } });
    expect((await result).output).toEqual({
      done: ['mail', 'log'],
      mail: { sent: 'now' },
      again: { sent: 'now' },
      log: 3,
    });
    expect(port.steps).toEqual([
      ['mail', { sent: 'now' }],
      ['log', 3],
    ]);
  });

  it('does not run a step that an earlier attempt has recorded', async () => {
    const agent = { module, export: 'steps' };
    const { port, result } = start(behaviourOf(), { agent, steps: { mail: 'recorded' } });
    expect((await result).output).toMatchObject({
      done: ['log'],
      mail: 'recorded',
      again: 'recorded',
    });
    expect(port.steps).toEqual([['log', 3]]);
  });

  it('runs a step again that failed, and records it when it succeeds', async () => {
    let tries = 0;
    const { port, result } = calling(async (context) => {
      const risky = (): number => {
        if (++tries === 1) throw new Error('first');
        return tries;
      };
      await context.step('risky', risky).catch(() => undefined);
      return context.step('risky', risky);
    });
    expect((await result).output).toBe(2);
    expect(port.steps).toEqual([['risky', 2]]);
  });

  it('waits for a step that the function did not wait for', async () => {
    const { port, result } = calling((context) => {
      void context.step('loose', async () => 1);
    });
    await result;
    expect(port.steps).toEqual([['loose', 1]]);
  });

  it('does not mistake the names of object methods for recorded steps', async () => {
    const { result } = calling((context) => context.step('toString', () => 'ran'));
    expect((await result).output).toBe('ran');
  });
});

describe('results and failures', () => {
  it('turns undefined into null and refuses what is not plain', async () => {
    expect((await calling(() => undefined).result).output).toBeNull();
    expect((await failureOf(calling(() => new Map()).result)).code).toBe('TRP_PLAIN_DATA');
  });

  it.each<[string, unknown, string]>([
    ['an error', new Error('no luck'), 'no luck'],
    ['a text', 'plain words', 'plain words'],
    ['null', null, 'null'],
    ['undefined', undefined, 'undefined'],
    ['an object without a prototype', Object.create(null), 'cannot be shown'],
    ['an error whose message throws', hostileError(), 'cannot be shown'],
    ['a symbol', Symbol('odd'), 'Symbol(odd)'],
  ])('understands a throw of %s', async (_, thrown, expected) => {
    const sync = calling(() => {
      throw thrown;
    });
    const rejected = calling(async () => {
      throw thrown;
    });
    for (const { result } of [sync, rejected]) {
      const failure = await failureOf(result);
      expect(failure).toMatchObject({ code: 'TRP_ATTEMPT_FAILED', errorClass: 'transient' });
      expect(failure.message).toContain(expected);
    }
  });

  it('keeps the error class that an error names, and shortens endless messages', async () => {
    const failure = await failureOf(named('fail', { input: 'x'.repeat(10_000) }));
    expect(failure.errorClass).toBe('permanent');
    expect(failure.message.length).toBeLessThan(5_000);
  });
});

describe('abort', () => {
  it('gives a function that listens the time to end, and takes its result', async () => {
    const { port, result } = start(behaviourOf(), { agent: { module, export: 'polite' } });
    await expect.poll(() => port.reports.length).toBe(1);
    port.abort();
    expect((await result).output).toEqual({ stopped: 'Cancelled by a test.', memory: 5 });
  });

  it('records the step that was under way and begins no other', async () => {
    const { port, result } = start(behaviourOf(), {
      agent: { module, export: 'stepsAcrossAbort' },
    });
    await expect.poll(() => port.reports.length).toBe(1);
    port.abort();
    expect((await result).output).toEqual(['done', 'Cancelled by a test.']);
    expect(port.steps).toEqual([['first', 'done']]);
  });

  it('abandons a function that does not listen, after the kill time and not before', async () => {
    const clock = new SimulatedClock();
    const functions = { fn: () => new Promise(() => undefined) };
    const { port, result } = start(behaviourOf(functions, clock), {
      agent: { module: 'host:fn', limits: { killAfterMs: 500 } },
    });
    await expect.poll(() => port.signalsAsked).toBeGreaterThan(0);
    port.abort();
    await clock.runUntil(() => false);
    expect(await failureOf(result)).toMatchObject({ code: 'TRP_ATTEMPT_CANCELLED' });
    expect(clock.monotonic()).toBe(500);
  });

  it('abandons a function whose attempt was aborted before it began', async () => {
    const clock = new SimulatedClock();
    const behaviour = behaviourOf({ fn: () => new Promise(() => undefined) }, clock);
    const { port, result } = start(behaviour, { agent: { module: 'host:fn' } }, abortedPort());
    await expect.poll(() => port.signalsAsked).toBeGreaterThan(0);
    await clock.runUntil(() => false);
    await expect(result).rejects.toBe(cancelled);
  });

  it('ignores what an abandoned function does later', async () => {
    const clock = new SimulatedClock();
    let finish: (value: number) => void = () => undefined;
    let lateStep: Promise<unknown> | undefined;
    const fn: TaskFunction = async (context) => {
      const value = await new Promise<number>((resolve) => (finish = resolve));
      context.progress('late');
      lateStep = context.step('late', () => value).catch((reason: unknown) => reason);
      return value;
    };
    const { port, result } = start(behaviourOf({ fn }, clock), { agent: { module: 'host:fn' } });
    await expect.poll(() => port.signalsAsked).toBeGreaterThan(0);
    port.abort();
    await clock.runUntil(() => false);
    finish(1);
    await expect(result).rejects.toBe(cancelled);
    await expect.poll(() => lateStep).toBeDefined();
    expect(await lateStep).toBe(cancelled);
    expect(port.reports).toEqual([]);
    expect(port.steps).toEqual([]);
  });

  it('reports the reason of the abort instead of the error that it led to', async () => {
    const { port, result } = calling(
      ({ signal }) =>
        new Promise((_, reject) =>
          signal.addEventListener('abort', () => reject(new Error('AbortError'))),
        ),
    );
    await expect.poll(() => port.signalsAsked).toBeGreaterThan(1);
    port.abort();
    await expect(result).rejects.toBe(cancelled);
  });

  it('leaves no timer behind', async () => {
    const clock = new SimulatedClock();
    const fn: TaskFunction = ({ signal }) =>
      new Promise((resolve) => signal.addEventListener('abort', resolve));
    const { port, result } = start(behaviourOf({ fn: async (c) => void (await fn(c)) }, clock), {
      agent: { module: 'host:fn' },
    });
    await expect.poll(() => port.signalsAsked).toBeGreaterThan(1);
    port.abort();
    await result;
    expect(clock.step()).toBe(false);
  });
});

function hostileError(): unknown {
  return Object.defineProperty({ toString: () => Symbol('no text') }, 'message', {
    get: () => {
      throw new Error('no message');
    },
  });
}
