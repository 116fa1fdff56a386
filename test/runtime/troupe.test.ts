import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { reasons } from '../../src/core/outcome.ts';
import { createTroupe } from '../../src/runtime/troupe.ts';
import { engineVersion } from '../../src/runtime/engine-version.ts';
import type { RunEvent } from '../../src/runtime/api.ts';
import { runSimulated, scriptedAgent, SimulatedClock } from '../../src/testing.ts';

const greeting = {
  version: 1,
  name: 'greeting',
  inputs: { name: { required: true, description: 'Whom to greet' }, mood: 'kind' },
  agents: { greeter: { uses: 'function', module: 'host:greet' } },
  tasks: {
    one: { agent: 'greeter', with: { text: 'Hello ${input.name}, ${input.mood} one' } },
    two: { agent: 'greeter', needs: ['one'], with: { text: '${tasks.one.output}!' } },
  },
};

const functions = { greet: ({ input }: { input: unknown }) => (input as { text: string }).text };

describe('createTroupe', () => {
  it('runs a document given as data with functions of the host, and reports what came of it', async () => {
    const troupe = await createTroupe({ functions });
    const run = await troupe.run(greeting, { name: 'Ada' });
    const report = await run.outcome();
    expect(report).toMatchObject({
      format: 1,
      workflow: 'greeting',
      status: 'succeeded',
      reason: 'completed',
      outputs: { two: 'Hello Ada, kind one!' },
      census: { succeeded: 2, failed: 0, timed_out: 0, cancelled: 0, skipped: 0, late: 0 },
    });
    await troupe.close();
  });

  it('refuses input that is missing or unknown, and says what there is', async () => {
    const troupe = await createTroupe({ functions });
    await expect(troupe.run(greeting, {})).rejects.toMatchObject({
      code: 'TRP_INPUT_INVALID',
      hint: expect.stringContaining('--input name='),
    });
    await expect(troupe.run(greeting, { name: 'x', nmae: 'y' })).rejects.toMatchObject({
      code: 'TRP_INPUT_INVALID',
    });
    await troupe.close();
  });

  it('refuses a document with faults by the first one', async () => {
    const troupe = await createTroupe();
    await expect(
      troupe.run({ version: 1, name: 'x', tasks: { a: { needs: ['b'] } } }),
    ).rejects.toMatchObject({
      name: 'TroupeError',
      code: expect.stringMatching(/^TRP_WORKFLOW_/),
    });
    await troupe.close();
  });

  it.each([
    { concurrency: 0 },
    { concurrency: 1.5 },
    { level: 'power' as const },
    { level: 'disk' as never },
  ])('refuses the option %j', async (options) => {
    await expect(createTroupe(options)).rejects.toMatchObject({ code: 'TRP_OPTION_INVALID' });
  });

  it('tells what happens as it happens, and ends with the run', async () => {
    const troupe = await createTroupe({ functions });
    const run = await troupe.run(greeting, { name: 'Ada' });
    const events: RunEvent[] = [];
    for await (const event of run.events()) events.push(event);
    const types = events.map(({ type }) => type);
    expect(types.at(-1)).toBe('run.ended');
    expect(types.filter((type) => type === 'task.succeeded')).toHaveLength(2);
    await troupe.close();
  });

  it('refuses work after close, and closes twice without harm', async () => {
    const troupe = await createTroupe({ functions });
    await troupe.close();
    await troupe.close();
    await expect(troupe.run(greeting, { name: 'Ada' })).rejects.toMatchObject({
      code: 'TRP_CLOSED',
    });
  });

  it('runs several workflows at one time under one limit of attempts', async () => {
    let running = 0;
    let most = 0;
    const work = async () => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
      return null;
    };
    const troupe = await createTroupe({ functions: { work }, concurrency: 3 });
    const document = {
      version: 1,
      name: 'busy',
      agents: { w: { uses: 'function', module: 'host:work' } },
      tasks: { t: { agent: 'w', for_each: [1, 2, 3, 4, 5, 6, 7, 8] } },
    };
    const runs = await Promise.all([1, 2, 3].map(() => troupe.run(document)));
    const reports = await Promise.all(runs.map((run) => run.outcome()));
    expect(reports.map(({ status }) => status)).toEqual(['succeeded', 'succeeded', 'succeeded']);
    expect(most).toBe(3);
    await troupe.close();
  });
});

describe('a Troupe with a data folder', () => {
  let dataDir: string;
  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'troupe-data-'));
  });
  afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

  const waiting = {
    version: 1,
    name: 'waiting',
    agents: {
      quick: { uses: 'function', module: 'host:quick' },
      slow: { uses: 'function', module: 'host:slow' },
    },
    tasks: { a: { agent: 'quick' }, b: { agent: 'slow', needs: ['a'] } },
  };

  it('interrupts its runs on close, and another one goes on without doing again what is done', async () => {
    const calls: string[] = [];
    let hold = true;
    const agents = {
      quick: () => void calls.push('quick'),
      slow: ({ signal }: { signal: AbortSignal }) => {
        calls.push('slow');
        if (!hold) return 'done';
        return new Promise((_, reject) =>
          signal.addEventListener('abort', () => reject(signal.reason as Error)),
        );
      },
    };
    const first = await createTroupe({ dataDir, functions: agents });
    const run = await first.run(waiting);
    for await (const event of run.events())
      if (event.type === 'task.started' && event.task === 'b') break;
    await first.close();
    await expect(run.outcome()).rejects.toMatchObject({ code: 'TRP_CLOSED' });
    hold = false;
    const second = await createTroupe({ dataDir, functions: agents });
    expect((await second.runs())[0]).toMatchObject({
      run_id: run.id,
      status: 'interrupted',
      tasks_done: 1,
      tasks_succeeded: 1,
      tasks_total: 2,
      owner: null,
    });
    const report = await (await second.resume(run.id)).outcome();
    expect(report.status).toBe('succeeded');
    expect(calls).toEqual(['quick', 'slow', 'slow']);
    await second.close();
  });

  it('shows, owns and cancels across two Troupes on one folder', async () => {
    const slow = ({ signal }: { signal: AbortSignal }) =>
      new Promise((_, reject) =>
        signal.addEventListener('abort', () => reject(signal.reason as Error)),
      );
    const owner = await createTroupe({ dataDir, functions: { quick: () => 1, slow } });
    const run = await owner.run(waiting);
    for await (const event of run.events())
      if (event.type === 'task.started' && event.task === 'b') break;
    const other = await createTroupe({ dataDir });
    expect(await other.show(run.id)).toMatchObject({ status: 'running' });
    await expect(other.resume(run.id)).rejects.toMatchObject({ code: 'TRP_RUN_OWNED' });
    expect(await other.ask(run.id, 'report')).toMatchObject({ run_id: run.id, status: 'running' });
    await other.cancel(run.id);
    expect(await run.outcome()).toMatchObject({
      status: 'cancelled',
      census: { succeeded: 1, cancelled: 1 },
    });
    await Promise.all([owner.close(), other.close()]);
  });

  it('cancels a run that nobody owns, once', async () => {
    const slow = ({ signal }: { signal: AbortSignal }) =>
      new Promise((_, reject) =>
        signal.addEventListener('abort', () => reject(signal.reason as Error)),
      );
    const owner = await createTroupe({ dataDir, functions: { quick: () => 1, slow } });
    const run = await owner.run(waiting);
    await owner.close();
    const other = await createTroupe({ dataDir });
    await other.cancel(run.id);
    expect(await other.show(run.id)).toMatchObject({ status: 'cancelled' });
    await expect(other.cancel(run.id)).rejects.toMatchObject({ code: 'TRP_RUN_ENDED' });
    await other.close();
  });

  it('does not know runs that are not there', async () => {
    const troupe = await createTroupe({ dataDir });
    await expect(troupe.show('run-0000000000000000')).rejects.toMatchObject({
      code: 'TRP_RUN_NOT_FOUND',
    });
    await expect(troupe.cancel('run-0000000000000000')).rejects.toMatchObject({
      code: 'TRP_RUN_NOT_FOUND',
    });
    await troupe.close();
  });
});

describe('the test kit', () => {
  it('runs a document in virtual time with agents that play a script', async () => {
    const clock = new SimulatedClock();
    const { report, records } = await runSimulated(
      {
        version: 1,
        name: 'scripted',
        agents: { s: { uses: 'function', module: 'host:s' } },
        tasks: { t: { agent: 's', retry: { backoff: 'none' } } },
      },
      {
        clock,
        functions: {
          s: scriptedAgent(clock, [
            { afterMs: 10, fail: 'no' },
            { afterMs: 20, output: 'yes' },
          ]),
        },
      },
    );
    expect(report).toMatchObject({
      status: 'succeeded',
      outputs: { t: 'yes' },
      metrics: { wall_ms: 30 },
    });
    expect(records[0]?.type).toBe('run.started');
    expect(records.filter(({ type }) => type === 'attempt.failed')).toHaveLength(1);
  });
});

describe('what the documents say', () => {
  it('names the version of package.json', () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    expect(engineVersion).toBe(version);
  });

  it('explains every reason, and no other', () => {
    const text = readFileSync('docs/guarantees.md', 'utf8');
    const section = text.slice(text.indexOf('## Reasons'));
    const listed = [...section.matchAll(/^\| `([a-z_]+)`/gm)].map(([, reason]) => reason);
    expect(new Set(listed)).toEqual(new Set(reasons));
  });
});

describe('resuming a run that succeeded', () => {
  it('gives its report and writes nothing', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'troupe-done-'));
    const troupe = await createTroupe({ dataDir, functions });
    const run = await troupe.run(greeting, { name: 'Ada' });
    const report = await run.outcome();
    const before = await troupe.records(run.id);
    const again = await troupe.resume(run.id);
    expect(await again.outcome()).toEqual(report);
    expect(await troupe.records(run.id)).toHaveLength(before.length);
    await troupe.close();
    rmSync(dataDir, { recursive: true });
  });

  it('refuses a verb that a run does not know', async () => {
    const troupe = await createTroupe({ functions: { hold: () => new Promise(() => undefined) } });
    const run = await troupe.run({
      version: 1,
      name: 'h',
      tasks: { t: { uses: 'function', module: 'host:hold' } },
    });
    await expect(troupe.ask(run.id, 'explode')).rejects.toMatchObject({
      code: 'TRP_CONTROL_REQUEST',
    });
    await troupe.close();
  });
});
