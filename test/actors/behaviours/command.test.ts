import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { AttemptResult } from '../../../src/actors/behaviours/behaviour.ts';
import { createCommandBehaviour, maxLineBytes } from '../../../src/actors/behaviours/command.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { eventually } from '../../support/eventually.ts';
import { abortedPort, cancelled, failureOf, fixtures, isAlive, run, start } from './attempt-kit.ts';
import type { AttemptInput, StartedAttempt } from './attempt-kit.ts';
import { expectNoLeftovers } from './leftovers.ts';

const { PATH = '' } = process.env;
const environment = { PATH, SECRET: 'no', PASSED: 'yes' };
const behaviour = createCommandBehaviour({ clock: systemClock, environment });

function begin(words: readonly string[], input: AttemptInput = {}): StartedAttempt {
  const command = [process.execPath, join(fixtures, 'program.mjs'), ...words];
  return start(behaviour, { ...input, agent: { uses: 'command', command, ...input.agent } });
}

const act = (...words: string[]): Promise<AttemptResult> => begin(words).result;
const print = (...lines: string[]): Promise<AttemptResult> => act('print', ...lines);

/** The process ids that a program names in its first report. */
async function pidsOf({ port }: StartedAttempt): Promise<number[]> {
  await eventually('the program reports', () => port.reports.length > 0);
  return String(port.reports[0]?.message).match(/\d+/g)?.map(Number) ?? [];
}

const gone = (pids: readonly number[]): Promise<void> =>
  eventually('every process is gone', () => !pids.some(isAlive));

expectNoLeftovers();

describe('input', () => {
  it('gets one line with everything about the attempt, its arguments and a small environment', async () => {
    const { result } = begin(['echo', 'a b', '$HOME'], {
      attempt: 2,
      input: { deep: [1, 'ünï', new Uint8Array([1, 2])] },
      feedback: 'again',
      steps: { mail: 1 },
      memory: { 'a.b': { c: null } },
      agent: { env: ['PASSED', 'ABSENT'] },
    });
    expect((await result).output).toEqual({
      received: {
        run: 'run-1',
        task: 'write',
        operation: 'op-1',
        attempt: 2,
        iteration: 1,
        input: { deep: [1, 'ünï', { $bytes: 'AQI=' }] },
        feedback: 'again',
        steps: { mail: 1 },
        memory: { 'a.b': { c: null } },
      },
      rest: ['a b', '$HOME'],
      variables: ['PATH', 'PASSED'],
      cwd: fixtures,
    });
  });

  it('may be ignored, however large it is', async () => {
    const { result } = begin(['print', '1'], { input: 'x'.repeat(5_000_000) });
    expect((await result).output).toBe(1);
  });
});

describe('events', () => {
  it('carry progress, steps, memory and the result', async () => {
    const { port, result } = begin(['events']);
    expect(await result).toEqual({
      output: 'done',
      changes: [
        { key: 'a.b', value: 2 },
        { key: 'a.c', deleted: true },
      ],
    });
    expect(port.reports).toEqual([{ fraction: 0.5, message: 'half' }, { fraction: 1 }]);
    expect(port.steps).toEqual([['mail', { sent: true }]]);
  });

  it('fail the attempt when a step cannot be recorded', async () => {
    const { port, result } = begin(['events']);
    port.stepDone = () => Promise.reject(new Error('journal full'));
    expect((await failureOf(result)).message).toBe('journal full');
  });

  it('are refused when they lack a part', async () => {
    for (const line of ['{"type":"step"}', '{"type":"memory","key":"a"}', '{"type":"error"}']) {
      expect(await failureOf(print(line))).toMatchObject({ code: 'TRP_COMMAND_OUTPUT' });
    }
  });

  it('let the last word of the program decide', async () => {
    const bad = '{"type":"error","message":"bad","error_class":"permanent"}';
    const good = '{"type":"result","output":"good"}';
    expect((await print(bad, good)).output).toBe('good');
    expect(await failureOf(print(good, bad))).toMatchObject({
      code: 'TRP_ATTEMPT_FAILED',
      message: 'bad',
      errorClass: 'permanent',
    });
  });

  it('understand the results that command-line agents print', async () => {
    const init = '{"type":"system","subtype":"init"}';
    expect((await print(init, '{"type":"result","is_error":false,"result":"text"}')).output).toBe(
      'text',
    );
    const failed = await failureOf(
      print(init, '{"type":"result","is_error":true,"result":"budget"}'),
    );
    expect(failed).toMatchObject({ code: 'TRP_ATTEMPT_FAILED', message: 'budget' });
  });
});

describe('output without events', () => {
  it('is one JSON value, on one line or several, or nothing', async () => {
    expect((await print('{"answer":42}')).output).toEqual({ answer: 42 });
    expect((await print('{', '  "answer": [1,', '2]', '}')).output).toEqual({ answer: [1, 2] });
    expect((await print('')).output).toBeNull();
  });

  it('is refused when it is not JSON, half of it, or more than one value', async () => {
    for (const lines of [
      ['Hello!'],
      ['{"answer":'],
      ['1', '2'],
      ['{"type":"progress"}', 'oops', '3'],
    ]) {
      expect(await failureOf(print(...lines))).toMatchObject({
        code: 'TRP_COMMAND_OUTPUT',
        errorClass: 'permanent',
      });
    }
    expect((await failureOf(print('', '{"half'))).message).toContain(
      String.raw`line 2 is not JSON: "{\"half"`,
    );
  });

  it('is refused when it nests too deeply', async () => {
    const deep = '['.repeat(10_000) + ']'.repeat(10_000);
    expect(await failureOf(print(deep))).toMatchObject({ code: 'TRP_PLAIN_DATA' });
  });

  it('is refused when it is binary, and the program is ended', async () => {
    const failure = await failureOf(act('garbage'));
    expect(failure).toMatchObject({ code: 'TRP_COMMAND_OUTPUT' });
    expect(failure.message).toContain('UTF-8');
  });
});

describe('limits', () => {
  it('refuse ten million bytes', async () => {
    const failure = await failureOf(act('bytes', '10000000'));
    expect(failure).toMatchObject({ code: 'TRP_COMMAND_OUTPUT' });
    expect(failure.message).toContain(`a line of more than ${maxLineBytes} bytes`);
  });

  it('end a program that never stops printing', async () => {
    const failure = await failureOf(act('flood'));
    expect(failure).toMatchObject({ code: 'TRP_COMMAND_OUTPUT' });
    expect(failure.message).toContain('more than 8388608 bytes');
  });
});

describe('how it ends', () => {
  it('reports code and last error lines', async () => {
    const failure = await failureOf(act('fail', '3'));
    expect(failure).toMatchObject({ code: 'TRP_COMMAND_EXIT', errorClass: 'transient' });
    expect(failure.message).toContain('ended with code 3.');
    expect(failure.message).toMatch(/x\nlast words$/);
    expect(failure.message.length).toBeLessThan(2_200);
  });

  it('reports a signal', async () => {
    expect((await failureOf(act('dieBySignal'))).message).toContain('was ended by SIGABRT');
  });

  it('does not believe a result when the code says otherwise, but does believe an error', async () => {
    expect(await failureOf(act('resultThenFail'))).toMatchObject({ code: 'TRP_COMMAND_EXIT' });
    expect(await failureOf(act('errorThenFail'))).toMatchObject({
      code: 'TRP_ATTEMPT_FAILED',
      message: 'no tokens left',
      errorClass: 'permanent',
    });
  });

  it('names a program that cannot be started', async () => {
    const agent = { uses: 'command' as const, command: ['no-such-program-here'] };
    const failure = await failureOf(run(behaviour, { agent }));
    expect(failure).toMatchObject({ code: 'TRP_COMMAND_SPAWN', errorClass: 'permanent' });
    expect(failure.message).toContain('"no-such-program-here" could not be started: not found');
    const hostile = await failureOf(run(behaviour, { agent: { ...agent, command: ['a\0b'] } }));
    expect(hostile.code).toBe('TRP_COMMAND_SPAWN');
  });
});

describe('abort', () => {
  it('ends a program that ignores SIGTERM', async () => {
    const attempt = begin(['deaf']);
    const pids = await pidsOf(attempt);
    attempt.port.abort();
    await expect(attempt.result).rejects.toBe(cancelled);
    await gone(pids);
  });

  it('takes the result of a program that ends by itself in time, and only a result that it said', async () => {
    const tidy = begin(['tidy'], { agent: { limits: { killAfterMs: 20_000 } } });
    const quiet = begin(['quitQuietly'], { agent: { limits: { killAfterMs: 20_000 } } });
    for (const attempt of [tidy, quiet]) {
      await pidsOf(attempt);
      attempt.port.abort();
    }
    expect((await tidy.result).output).toBe('tidied up');
    await expect(quiet.result).rejects.toBe(cancelled);
  });

  it('ends a grandchild that ignores SIGTERM', async () => {
    const attempt = begin(['parent', 'stay']);
    const pids = await pidsOf(attempt);
    attempt.port.abort();
    await expect(attempt.result).rejects.toBe(cancelled);
    expect(pids).toHaveLength(2);
    await gone(pids);
  });

  it('ends an attempt that was aborted before it began', async () => {
    const command = [process.execPath, join(fixtures, 'program.mjs'), 'deaf'];
    const attempt = start(behaviour, { agent: { uses: 'command', command } }, abortedPort());
    await expect(attempt.result).rejects.toBe(cancelled);
  });
});

describe('descendants', () => {
  it('end with the program, even when they hold its output open', async () => {
    const attempt = begin(['parent']);
    const pids = await pidsOf(attempt);
    expect((await attempt.result).output).toBeNull();
    expect(pids).toHaveLength(2);
    await gone(pids);
  });

  it('that left the group do not hold up the attempt', async () => {
    const pid = Number((await act('daemon')).output);
    expect(isAlive(pid)).toBe(true);
    process.kill(pid, 'SIGKILL');
    await gone([pid]);
  });
});
