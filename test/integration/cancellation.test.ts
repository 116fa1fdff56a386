import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { Troupe } from '../../src/runtime/api.ts';
import type { RunReport } from '../../src/runtime/report.ts';
import { createTroupe } from '../../src/runtime/troupe.ts';
import { eventually } from '../support/eventually.ts';
import { fileAppears, WorkFolder } from './support/folder.ts';
import { journalIn } from './support/journal.ts';
import { isRunning } from './support/program.ts';

/** A thread leaves no id: it has that of the whole process, which goes on. */
const agents = `
import { writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
const leave = (name, text) => writeFileSync(new URL(name, import.meta.url), text);
function begin(task) {
  if (isMainThread) leave('pid-' + task, String(process.pid));
  leave('up-' + task, 'yes');
}
export function deaf({ task }) {
  begin(task);
  for (;;) Math.sqrt(2);
}
export async function late({ signal, task }) {
  begin(task);
  await new Promise((resolve) => signal.addEventListener('abort', resolve));
  leave('heard-' + task, 'yes');
  await new Promise((resolve) => setTimeout(resolve, 60_000));
  return 'far too late';
}
`;

/**
 * A program that stays, begins its like one generation further down, and answers SIGTERM by noting it, and by a result that
 * nobody has asked for any more.
 */
const family = `
const { spawn } = require('node:child_process');
const { writeFileSync } = require('node:fs');
const [, , task, left] = process.argv;
const name = task + '-' + left;
process.on('SIGTERM', () => {
  writeFileSync('heard-' + name, 'yes');
  console.log(JSON.stringify({ type: 'result', output: 'late' }));
});
if (left > 0) spawn(process.execPath, ['family.cjs', task, left - 1], { stdio: 'ignore' });
writeFileSync('pid-' + name, String(process.pid));
writeFileSync('up-' + name, 'yes');
setInterval(() => {}, 1_000);
`;

const programs = ['p1', 'p2'];
const members = programs.flatMap((task) => [`${task}-2`, `${task}-1`, `${task}-0`]);
const isolated = ['deaf_thread', 'deaf_process', 'late_thread', 'late_process'];
const all = [...members, ...isolated];
const heard = [...members, 'late_thread', 'late_process'];

function document(): object {
  const limits = { kill_after: '300ms' };
  const program = (task: string): object => ({
    uses: 'command',
    command: [process.execPath, 'family.cjs', task, '2'],
    limits,
  });
  const fn = (name: string, isolate: string): object => ({
    uses: 'function',
    module: `./agents.mjs#${name}`,
    isolate,
    limits,
  });
  return {
    tasks: {
      ...Object.fromEntries(programs.map((task) => [task, program(task)])),
      deaf_thread: fn('deaf', 'thread'),
      deaf_process: fn('deaf', 'process'),
      late_thread: fn('late', 'thread'),
      late_process: fn('late', 'process'),
    },
  };
}

let folder: WorkFolder;
beforeEach(() => {
  folder = new WorkFolder(agents);
  folder.write('family.cjs', family);
  folder.document(document());
});
afterEach(() => folder.remove());

async function atWork(): Promise<void> {
  await Promise.all(all.map((name) => fileAppears(folder, `up-${name}`)));
}

/** All have heard it, none is left, and each task has one end, whatever it has said since. */
async function expectAllGone(census: RunReport['census'] | undefined): Promise<void> {
  expect(census).toEqual({
    succeeded: 0,
    failed: 0,
    timed_out: 0,
    cancelled: programs.length + isolated.length,
    skipped: 0,
    late: 0,
  });
  expect(heard.filter((name) => !folder.has(`heard-${name}`))).toEqual([]);
  expect(folder.pids()).toHaveLength(members.length + 2);
  await eventually('every process of every group is gone', () => !folder.pids().some(isRunning));
  const { records } = await journalIn(folder.data);
  expect(records.filter(({ type }) => type === 'task.succeeded')).toEqual([]);
  expect(records.filter(({ type }) => type === 'task.ended')).toHaveLength(
    programs.length + isolated.length,
  );
  expect(records.at(-1)).toMatchObject({ type: 'run.ended', outcome: 'cancelled' });
}

describe('programs with children and grandchildren that ignore SIGTERM, threads and processes', () => {
  it('are all told and then killed by `troupe cancel` in another process', async () => {
    const program = folder.start(['run', 'flow.json', '--jsonl', '-q']);
    await atWork();
    const cancel = await folder.call('cancel', 'last', '--json');
    expect(JSON.parse(cancel.stdout)).toMatchObject({ status: 'cancelled' });
    const { lines } = await program.ended;
    await expectAllGone(lines.at(-1)?.['census'] as RunReport['census'] | undefined);
  });

  it('are all told and then killed by cancel() in this process, which is then as it was', async () => {
    const before = handles();
    const troupe: Troupe = await createTroupe({ dataDir: folder.data });
    const run = await troupe.run(`${folder.path}/flow.json`);
    await atWork();
    const { census } = await run.cancel();
    await expectAllGone(census);
    await troupe.close();
    await eventually('no handle is left', () => added(handles(), before).length === 0);
  });
});

/** What a timer of this test, or a file that is being read, adds. */
const passing = new Set(['Timeout', 'Immediate', 'FSReqCallback', 'FSReqPromise']);

/** What keeps this process alive, by kind: child processes, threads, pipes, sockets. */
function handles(): readonly string[] {
  return process.getActiveResourcesInfo().filter((kind) => !passing.has(kind));
}

function added(now: readonly string[], before: readonly string[]): readonly string[] {
  const left = [...before];
  return now.filter((kind) => {
    const index = left.indexOf(kind);
    if (index >= 0) left.splice(index, 1);
    return index < 0;
  });
}
