import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Behaviour } from '../../../src/actors/behaviours/behaviour.ts';
import { createProcessBehaviour } from '../../../src/actors/behaviours/isolation/process.ts';
import {
  createThreadBehaviour,
  maxIdleThreads,
} from '../../../src/actors/behaviours/isolation/thread.ts';
import { manyKeys } from '../../../src/actors/behaviours/memory-copy.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { seededRandom } from '../../../src/core/random.ts';
import { eventually } from '../../support/eventually.ts';
import { abortedPort, cancelled, failureOf, fixtures, isAlive, run, start } from './attempt-kit.ts';
import type { AttemptInput, StartedAttempt } from './attempt-kit.ts';
import { expectNoLeftovers, threadCount } from './leftovers.ts';

const module = join(fixtures, 'functions.mjs');
const { PATH = '' } = process.env;
const options = { clock: systemClock, environment: { PATH, SECRET: 'no', PASSED: 'yes' } };

type AgentInput = AttemptInput['agent'];

describe.each([
  ['thread', createThreadBehaviour],
  ['process', createProcessBehaviour],
] as const)('a function in a %s of its own', (kind, create) => {
  expectNoLeftovers();
  let behaviour: Behaviour;
  beforeEach(() => {
    behaviour = create(options);
  });
  afterEach(() => behaviour.close?.());

  const begin = (name: string, input: AttemptInput = {}, agent: AgentInput = {}): StartedAttempt =>
    start(behaviour, { ...input, agent: { module, export: name, isolate: kind, ...agent } });
  const call = (name: string, input: AttemptInput = {}, agent: AgentInput = {}) =>
    begin(name, input, agent).result;
  const healthy = () =>
    Promise.all(Array.from({ length: 10 }, (_, index) => call('echo', { input: index })));
  const toldOf = async ({ port }: StartedAttempt): Promise<void> =>
    eventually('the function reports', () => port.reports.length > 0);

  it('sees the same context as inline', async () => {
    const result = await call(
      'default',
      { attempt: 2, feedback: 'again' },
      { with: { tone: 'dry' } },
    );
    expect(result.output).toMatchObject({
      run: 'run-1',
      task: 'write',
      attempt: 2,
      feedback: 'again',
      config: { tone: 'dry' },
    });
    const expected = seededRandom(7);
    expect((await call('dice')).output).toEqual([expected(), expected(), expected()]);
    expect((await call('bytes')).output).toEqual(new Uint8Array([1, 2, 3]));
  });

  it('passes progress, steps and writes', async () => {
    const told = begin('tell');
    await told.result;
    expect(told.port.reports).toEqual([{ message: 'half' }, { fraction: 0.5 }]);
    const stepped = begin('steps', { steps: { mail: 'recorded' } });
    expect((await stepped.result).output).toMatchObject({
      done: ['log'],
      mail: 'recorded',
      again: 'recorded',
    });
    expect(stepped.port.steps).toEqual([['log', 3]]);
    const { output, changes } = await call('writes', {
      memory: { 'notes.a': 'theirs', 'notes.b': 1 },
    });
    expect(output).toMatchObject({
      after: 'mine',
      own: ['first'],
      gone: null,
      revision: 5,
      keys: ['notes.a', 'writer.draft'],
    });
    expect(changes).toHaveLength(3);
  });

  it('fails when a step cannot be recorded', async () => {
    const { port, result } = begin('steps');
    port.stepDone = () => Promise.reject(new Error('journal full'));
    expect((await failureOf(result)).message).toBe('journal full');
  });

  it('copies only what the task reads out of a large memory, and says so when more is asked for', async () => {
    const memory = Object.fromEntries(
      Array.from({ length: manyKeys + 1 }, (_, i) => [`big.k${i}`, i]),
    );
    const reads = ['big.k7', 'other.*'];
    expect((await call('peek', { memory, reads, input: 'big.k7' })).output).toBe(7);
    expect((await call('peek', { memory, reads, input: 'other.none' })).output).toBeNull();
    expect((await failureOf(call('peek', { memory, reads, input: 'big.k8' }))).message).toContain(
      "task's reads",
    );
    expect((await call('peek', { memory, input: 'big.k8' })).output).toBe(8);
  });

  it('reports failures as inline', async () => {
    expect(await failureOf(call('fail', { input: 1 }))).toMatchObject({
      code: 'TRP_ATTEMPT_FAILED',
      message: 'failed: 1',
      errorClass: 'permanent',
    });
    expect(await failureOf(call('reject'))).toMatchObject({
      message: 'null',
      errorClass: 'transient',
    });
    expect(await failureOf(call('ecco'))).toMatchObject({ code: 'TRP_WORKFLOW_MODULE' });
    expect(await failureOf(call('echo', {}, { module: 'host:fn' }))).toMatchObject({
      code: 'TRP_WORKFLOW_MODULE',
    });
    for (const name of ['callback', 'dates']) {
      expect(await failureOf(call(name))).toMatchObject({ code: 'TRP_PLAIN_DATA' });
    }
  });

  it('ends an endless loop while ten healthy tasks go on', async () => {
    const looping = begin('loop');
    await toldOf(looping);
    expect((await healthy()).map(({ output }) => output)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    looping.port.abort();
    await expect(looping.result).rejects.toBe(cancelled);
  });

  it('survives an out-of-memory beside ten healthy tasks', async () => {
    const hoarding = failureOf(call('hoard', {}, { limits: { maxMemoryMb: 32 } }));
    expect(await healthy()).toHaveLength(10);
    expect(await hoarding).toMatchObject({ code: 'TRP_ATTEMPT_LOST', errorClass: 'lost' });
    expect((await hoarding).message).toContain('ran out of memory (limit 32 MiB)');
  });

  it('reports an exit as lost, with the last error lines', async () => {
    const failure = await failureOf(call('exit', { input: 3 }));
    expect(failure).toMatchObject({ code: 'TRP_ATTEMPT_LOST', errorClass: 'lost' });
    expect(failure.message).toBe(`The ${kind} of task write exited with code 3.\nlast words`);
  });

  it('reports an error that nobody caught, and goes on elsewhere', async () => {
    const failure = await failureOf(call('crashLater'));
    expect(failure).toMatchObject({ code: 'TRP_ATTEMPT_FAILED', message: 'nobody catches this' });
    expect((await call('echo', { input: 1 })).output).toBe(1);
  });

  it('lets a function that listens end by itself', async () => {
    const attempt = begin('polite', {}, { limits: { killAfterMs: 20_000 } });
    await toldOf(attempt);
    attempt.port.abort();
    expect((await attempt.result).output).toEqual({ stopped: 'Cancelled by a test.', memory: 5 });
  });

  it('records the step that was under way at the abort and begins no other', async () => {
    const attempt = begin('stepsAcrossAbort', {}, { limits: { killAfterMs: 20_000 } });
    await toldOf(attempt);
    attempt.port.abort();
    expect((await attempt.result).output).toEqual(['done', 'Cancelled by a test.']);
    expect(attempt.port.steps).toEqual([['first', 'done']]);
  });

  it('ends a function that does not listen', async () => {
    const attempt = begin('stubborn');
    await toldOf(attempt);
    attempt.port.abort();
    await expect(attempt.result).rejects.toBe(cancelled);
  });

  it('ends an attempt that was aborted before it began', async () => {
    const agent = { module, export: 'stubborn' };
    const { result } = start(behaviour, { agent }, abortedPort());
    await expect(result).rejects.toBe(cancelled);
  });

  it('keeps prints off this process and passes only the allowed environment', async () => {
    const { output } = await call('print', {}, { env: ['PASSED'] });
    const { variables } = output as { variables: string[] };
    expect(variables).toContain('PASSED');
    expect(variables).toContain('PATH');
    expect(variables).not.toContain('SECRET');
  });
});

describe('warm threads', () => {
  expectNoLeftovers();
  let behaviour: Behaviour;
  beforeEach(() => {
    behaviour = createThreadBehaviour(options);
  });
  afterEach(() => behaviour.close?.());
  const agent = { module, export: 'count' };
  const count = async (more: AgentInput = {}) =>
    (await run(behaviour, { agent: { ...agent, ...more } })).output;

  it('serve the next attempt at the same module and limits', async () => {
    expect([await count(), await count()]).toEqual([1, 2]);
    expect(await count({ limits: { maxMemoryMb: 64 } })).toBe(1);
    expect(await count()).toBe(3);
  });

  it('serve again after a failure, and never after a kill', async () => {
    await count();
    await failureOf(run(behaviour, { agent: { module, export: 'fail' } }));
    expect(await count()).toBe(2);
    const looping = start(behaviour, { agent: { module, export: 'loop' } });
    await eventually('it loops', () => looping.port.reports.length > 0);
    looping.port.abort();
    await failureOf(looping.result);
    expect(await count()).toBe(1);
  });

  it('do not serve again after an error that nobody caught', async () => {
    await count();
    await failureOf(run(behaviour, { agent: { module, export: 'crashLater' } }));
    expect(await count()).toBe(1);
  });

  it('are kept up to a limit', async () => {
    const before = threadCount();
    const inputs = Array.from({ length: maxIdleThreads + 12 }, (_, input) => input);
    const results = await Promise.all(
      inputs.map((input) => run(behaviour, { input, agent: { module, export: 'echo' } })),
    );
    expect(results.map(({ output }) => output)).toEqual(inputs);
    // Up to four threads of Node's own file pool may have been started meanwhile.
    expect(threadCount()).toBeLessThanOrEqual(before + maxIdleThreads + 4);
  });

  it('end when something fails in them that nobody waits for', async () => {
    // Node's own file pool is started by use; it must not be taken for the thread.
    await Promise.all(Array.from({ length: 16 }, () => stat('.')));
    const before = threadCount();
    await run(behaviour, { agent: { module, export: 'crashWhenIdle' } });
    await eventually('the thread is gone', () => threadCount() <= before);
    expect(await count()).toBe(1);
  });

  it('end when the behaviour is closed', async () => {
    await count();
    const warm = threadCount();
    await Promise.all([count(), count(), count()]);
    expect(threadCount()).toBeGreaterThan(warm - 1);
    await behaviour.close?.();
    await eventually('their threads are gone', () => threadCount() < warm);
  });

  it('do not quote the error lines of an earlier attempt', async () => {
    await run(behaviour, { agent: { module, export: 'print' } });
    const failure = await failureOf(
      run(behaviour, { input: 4, agent: { module, export: 'exit' } }),
    );
    expect(failure.message).not.toContain('to the errors');
  });
});

describe('what an isolated process started', () => {
  expectNoLeftovers();
  const behaviour = createProcessBehaviour(options);
  const agent = { module, export: 'grandchild' };

  it('ends with a successful attempt', async () => {
    const { output } = await run(behaviour, { agent });
    const { pids } = output as { pids: number[] };
    expect(pids).toHaveLength(2);
    await eventually('both are gone', () => !pids.some(isAlive));
  });

  it('ends with an aborted one', async () => {
    const attempt = start(behaviour, { input: 'stay', agent });
    await eventually('it has begun', () => attempt.port.reports.length > 0);
    const pids = String(attempt.port.reports[0]?.message).match(/\d+/g)?.map(Number) ?? [];
    attempt.port.abort();
    await failureOf(attempt.result);
    expect(pids).toHaveLength(2);
    await eventually('both are gone', () => !pids.some(isAlive));
  });
});
