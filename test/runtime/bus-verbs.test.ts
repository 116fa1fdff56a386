import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Bus } from '../../src/bus/bus.ts';
import type { PlainObject } from '../../src/core/plain.ts';
import type { RunHandle, Troupe } from '../../src/runtime/api.ts';
import { askOnBus } from '../../src/runtime/control/bus-client.ts';
import { createTroupe } from '../../src/runtime/troupe.ts';
import { eventually } from '../support/eventually.ts';
import { startNatsServer } from '../support/nats-server.ts';
import type { NatsServer } from '../support/nats-server.ts';

const fails = { uses: 'function', module: 'host:fails', retry: 1 };

const document = {
  version: 1,
  name: 'verbs',
  tasks: {
    asked: { ...fails, escalation: [{ rung: 'person', deadline: '1h', default: 'skip' }] },
    bad: { ...fails, on_exhausted: 'pause' },
    aside: { ...fails, on_exhausted: 'pause' },
    last: { uses: 'simulate', needs: ['asked'], with: { duration: 1 } },
  },
} as const;

let folder = '';
let server: NatsServer | undefined;
let troupes: Troupe[] = [];
let isMended = false;

beforeEach(async () => {
  isMended = false;
  folder = await mkdtemp(join(tmpdir(), 'troupe-verbs-'));
});

afterEach(async () => {
  await Promise.all(troupes.map((troupe) => troupe.close()));
  troupes = [];
  await server?.stop();
  server = undefined;
  await rm(folder, { recursive: true, force: true });
});

async function open(bus: string): Promise<Troupe> {
  const functions = {
    fails: () => {
      if (!isMended) throw new Error('no');
      return 'done';
    },
  };
  const dataDir = join(folder, 'data');
  const troupe = await createTroupe({ bus, functions, dataDir, control: false });
  troupes.push(troupe);
  return troupe;
}

/** The process that carries runs, and a bus on which somebody else asks. */
async function opened(kind: string): Promise<{ readonly troupe: Troupe; readonly bus: Bus }> {
  if (kind === 'embedded') {
    const troupe = await open(kind);
    return { troupe, bus: troupe.bus };
  }
  server = await startNatsServer();
  const troupe = await open(server.url);
  return { troupe, bus: (await open(server.url)).bus };
}

/** A run that asks one question and is paused for two tasks. */
async function waiting(troupe: Troupe): Promise<RunHandle> {
  const handle = await troupe.run(document);
  await eventually('it asks and is paused', () => {
    const { paused, questions } = handle.report().recovery;
    return questions.length === 1 && paused?.tasks.length === 2;
  });
  return handle;
}

describe.each(['embedded', 'nats'])('the verbs of recovery over the bus: %s', (kind) => {
  it('are acknowledged when they are in the journal, and take effect', async () => {
    const { troupe, bus } = await opened(kind);
    const handle = await waiting(troupe);
    const by = 'somebody far away';
    const typesAfter = async (verb: string, payload: PlainObject): Promise<string[]> => {
      const before = (await troupe.records(handle.id)).length;
      await askOnBus(bus, { run: handle.id, verb, payload: { ...payload, by } });
      return (await troupe.records(handle.id)).slice(before).map(({ type }) => type);
    };
    isMended = true;
    expect(await typesAfter('pause', {})).toEqual([]);
    const question = handle.report().recovery.questions[0]?.id ?? 0;
    const answer = { question, choice: 'value', value: { is: 'given' }, note: 'for now' };
    expect(await typesAfter('answer', answer)).toEqual(
      expect.arrayContaining(['escalation.answered', 'task.succeeded']),
    );
    expect(await typesAfter('skip', { task: 'aside' })).toContain('task.ended');
    expect(await typesAfter('retry', { task: 'bad' })).toEqual(
      expect.arrayContaining(['task.retried', 'run.resumed']),
    );
    const { tasks } = await handle.outcome();
    expect(tasks.map(({ id, outcome }) => [id, outcome])).toEqual([
      ['asked', 'succeeded'],
      ['bad', 'succeeded'],
      ['aside', 'skipped'],
      ['last', 'succeeded'],
    ]);
    const records = await troupe.records(handle.id);
    const answered = records.find(({ type }) => type === 'escalation.answered');
    expect(answered).toMatchObject({ by, note: 'for now', value: { is: 'given' } });
  });

  it('pause a run that goes on, and let it go on again', async () => {
    const { troupe, bus } = await opened(kind);
    const handle = await waiting(troupe);
    const run = handle.id;
    await askOnBus(bus, { run, verb: 'resume', payload: { by: 'x' } });
    await askOnBus(bus, { run, verb: 'pause', payload: { by: 'y' } });
    const paused = (await troupe.records(run)).findLast(({ type }) => type === 'run.paused');
    expect(paused).toMatchObject({ by: 'y' });
    await eventually('it is paused', () => handle.report().status === 'paused');
    expect(handle.report().recovery.paused).toMatchObject({ by: 'y', tasks: [] });
    const question = handle.report().recovery.questions[0]?.id ?? 0;
    const value = { question, choice: 'value', value: 1 };
    await askOnBus(bus, { run, verb: 'answer', payload: value });
    await askOnBus(bus, { run, verb: 'resume', payload: {} });
    expect((await handle.outcome()).tasks.map(({ outcome }) => outcome)).toEqual([
      'succeeded',
      'failed',
      'failed',
      'succeeded',
    ]);
  });

  it('are refused with the reason', async () => {
    const { troupe, bus } = await opened(kind);
    const { id: run } = await waiting(troupe);
    const codeOf = (verb: string, payload: PlainObject): Promise<unknown> =>
      askOnBus(bus, { run, verb, payload }).catch(({ code }: { readonly code: string }) => code);
    expect(await codeOf('answer', { question: 7777, choice: 'skip' })).toBe('TRP_QUESTION_UNKNOWN');
    expect(await codeOf('answer', { choice: 'skip' })).toBe('TRP_CONTROL_REQUEST');
    expect(await codeOf('retry', { task: 'last' })).toBe('TRP_TASK_STATE');
    expect(await codeOf('skip', { task: 'nobody' })).toBe('TRP_TASK_STATE');
    expect(await codeOf('retry', {})).toBe('TRP_CONTROL_REQUEST');
    await troupe.cancel(run);
    expect(await codeOf('pause', {})).toMatch(/^TRP_(RUN_ENDED|CONTROL_UNREACHABLE)$/);
  });
});
