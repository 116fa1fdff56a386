import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fileAppears, WorkFolder } from './support/folder.ts';
import { finishedIn, journalIn, startedAgain } from './support/journal.ts';
import { isRunning } from './support/program.ts';
import type { Program } from './support/program.ts';

const agents = `
import { appendFileSync, existsSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
const tell = (task) => writeFileSync('pid-' + task, String(process.pid));
const done = (task) => appendFileSync('done', task + '\\n');
export function quick({ task }) { done(task); return task; }
export async function gentle({ signal, task }) {
  tell(task);
  while (!existsSync('go')) await delay(5, undefined, { signal });
  done(task);
  return task;
}
export function deaf({ task }) {
  tell(task);
  while (!existsSync('go'));
  done(task);
  return task;
}
`;

const waiting = ['gentle', 'threaded', 'own', 'deaf_thread', 'deaf_process', 'program'];

let folder: WorkFolder;

/** Every kind of attempt at once: some hear the signal, some have to be ended by force. */
beforeEach(() => {
  folder = new WorkFolder(agents);
  const task = (name: string, isolate: string): object => ({
    uses: 'function',
    module: `./agents.mjs#${name}`,
    isolate,
    needs: ['quick'],
    limits: { kill_after: 200 },
  });
  const script = `process.on('SIGTERM', () => {});
    require('fs').writeFileSync('pid-program', String(process.pid));
    setInterval(() => {
      if (!require('fs').existsSync('go')) return;
      console.log(JSON.stringify({ type: 'result', output: 'program' }));
      process.exit(0);
    }, 5);`;
  folder.document({
    tasks: {
      quick: { uses: 'function', module: './agents.mjs#quick' },
      gentle: task('gentle', 'inline'),
      threaded: task('gentle', 'thread'),
      own: task('gentle', 'process'),
      deaf_thread: task('deaf', 'thread'),
      deaf_process: task('deaf', 'process'),
      program: {
        uses: 'command',
        command: [process.execPath, '-e', script],
        needs: ['quick'],
        limits: { kill_after: 200 },
      },
    },
  });
});

afterEach(() => folder.remove());

/** Starts the run and waits until every attempt is at work, each in its thread or process. */
async function runAtWork(): Promise<Program> {
  const program = folder.start(['run', 'flow.json', '--jsonl', '-q']);
  await Promise.all(waiting.map((task) => fileAppears(folder, `pid-${task}`)));
  return program;
}

/** The run goes on from where a signal had left it, and does the rest only. */
async function expectResumed(): Promise<void> {
  const { run, owner, records: before } = await journalIn(folder.data);
  expect(owner).toBeUndefined();
  expect(finishedIn(before)).toEqual(['quick#1']);
  folder.write('go');
  const { code, lines } = await folder.call('resume', run, '--jsonl', '-q');
  expect([code, lines.at(-1)?.['status']]).toEqual([0, 'succeeded']);
  const { records } = await journalIn(folder.data);
  expect(startedAgain(records, before.length)).toEqual([]);
  expect(finishedIn(records)).toHaveLength(1 + waiting.length);
  expect(folder.lines('done').filter((task) => task === 'quick')).toHaveLength(1);
}

describe('a signal to a run with attempts of every kind', () => {
  it('SIGINT cancels it, ends all of them, and leaves a run that resume opens again', async () => {
    const program = await runAtWork();
    const { code, lines } = await program.kill('SIGINT');
    const report = lines.at(-1);
    expect([code, report?.['status']]).toEqual([130, 'cancelled']);
    expect(report?.['census']).toEqual({
      succeeded: 1,
      failed: 0,
      timed_out: 0,
      cancelled: waiting.length,
      skipped: 0,
      late: 0,
    });
    expect(folder.pids().filter(isRunning)).toEqual([]);
    expect((await journalIn(folder.data)).records.at(-1)).toMatchObject({ type: 'run.ended' });
    await expectResumed();
  });

  it.each([['SIGTERM'], ['SIGHUP']] as const)(
    '%s interrupts it, ends all of them, and decides nothing',
    async (signal) => {
      const program = await runAtWork();
      const { code, lines } = await program.kill(signal);
      const report = lines.at(-1);
      expect([code, report?.['status']]).toEqual([143, 'running']);
      expect(folder.pids().filter(isRunning)).toEqual([]);
      const ends = ['task.ended', 'attempt.failed', 'run.ended', 'run.cancel_requested'];
      const { records } = await journalIn(folder.data);
      expect(records.filter(({ type }) => ends.includes(type))).toEqual([]);
      await expectResumed();
    },
  );
});
