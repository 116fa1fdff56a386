import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WorkFolder } from './support/folder.ts';
import { finishedIn, journalIn, startedAgain } from './support/journal.ts';
import type { Program, ProgramEnd } from './support/program.ts';

const agents = `
import { appendFileSync, existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
export function quick({ task }) { appendFileSync('done', task + '\\n'); return task; }
export async function gate({ signal, task }) {
  while (!existsSync('go')) await delay(5, undefined, { signal });
  appendFileSync('done', task + '\\n');
  return task;
}
`;

let folder: WorkFolder;

beforeEach(() => {
  folder = new WorkFolder(agents);
  const agent = (name: string, needs: readonly string[] = []): object => ({
    uses: 'function',
    module: `./agents.mjs#${name}`,
    needs,
  });
  folder.document({
    tasks: {
      first: agent('quick'),
      wait: agent('gate', ['first']),
      last: agent('quick', ['wait']),
    },
  });
});

afterEach(() => folder.remove());

/** Starts the run and waits until it stands at its gate. */
async function runAtGate(): Promise<{ readonly program: Program; readonly run: string }> {
  const program = folder.start(['run', 'flow.json', '--jsonl', '-q']);
  const { run } = await program.event('the gate', ({ task, type }) => {
    return type === 'task.started' && task === 'wait';
  });
  return { program, run };
}

async function deadRun(): Promise<string> {
  const { program, run } = await runAtGate();
  await program.kill();
  return run;
}

/** Makes the process of a node look like one of an earlier boot. */
function takeForDead(node: string): void {
  const file = join(folder.data, 'nodes', node, 'owner.json');
  const owner = JSON.parse(readFileSync(file, 'utf8')) as object;
  writeFileSync(file, JSON.stringify({ ...owner, start: '1', boot: 'another' }));
}

/** The only object on standard output. */
function object({ stdout }: ProgramEnd): unknown {
  return JSON.parse(stdout);
}

describe('a second process on the same data folder', () => {
  it('shows the run as it stands and is refused to resume it, while the first goes on', async () => {
    const { program, run } = await runAtGate();
    const [shown, refused, refusedAgain] = await Promise.all([
      folder.call('show', run, '--json'),
      folder.call('resume', run, '--json'),
      folder.call('resume', run, '--jsonl', '-q'),
    ]);
    expect(object(shown)).toMatchObject({
      status: 'running',
      census: { succeeded: 1 },
      tasks: [
        { id: 'first', outcome: 'succeeded' },
        { id: 'wait', outcome: 'running' },
        { id: 'last', outcome: 'waiting' },
      ],
    });
    for (const end of [refused, refusedAgain]) {
      expect(end.code).toBe(1);
      expect(object(end)).toMatchObject({ error: { code: 'TRP_RUN_OWNED' } });
    }
    folder.write('go');
    const { code, lines } = await program.ended;
    expect([code, lines.at(-1)?.['status']]).toEqual([0, 'succeeded']);
    expect(folder.lines('done')).toEqual(['first', 'wait', 'last']);
  });

  it('cancels the run, which ends with 4 and keeps what had finished', async () => {
    const { program, run } = await runAtGate();
    const cancelled = await folder.call('cancel', run, '--json');
    expect([cancelled.code, object(cancelled)]).toEqual([
      0,
      { format: 1, run_id: run, status: 'cancelled' },
    ]);
    const { code, lines } = await program.ended;
    expect(code).toBe(4);
    expect(lines.at(-1)).toMatchObject({
      status: 'cancelled',
      reason: 'cancelled_by_user',
      census: { succeeded: 1, failed: 0, timed_out: 0, cancelled: 2, skipped: 0, late: 0 },
    });
    const shown = await folder.call('show', run, '--json');
    expect(object(shown)).toMatchObject({ status: 'cancelled', census: { cancelled: 2 } });
  });

  it('records one cancelling when two of them cancel at once', async () => {
    const { program, run } = await runAtGate();
    const both = ['cancel', run, '--json'];
    const ends = await Promise.all([folder.call(...both), folder.call(...both)]);
    expect((await program.ended).code).toBe(4);
    const { records } = await journalIn(folder.data);
    expect(records.filter(({ type }) => type === 'run.cancel_requested')).toHaveLength(1);
    const told = ends.filter(({ code }) => code === 0).map(object);
    expect(told.length).toBeGreaterThan(0);
    for (const answer of told) expect(answer).toMatchObject({ status: 'cancelled' });
  });
});

describe('an owner that does not move', () => {
  it('still owns its run while it is stopped, and ends it when it may go on', async () => {
    const { program, run } = await runAtGate();
    program.child.kill('SIGSTOP');
    folder.write('go');
    const refused = await folder.call('resume', run, '--json');
    expect([refused.code, object(refused)]).toMatchObject([
      1,
      { error: { code: 'TRP_RUN_OWNED' } },
    ]);
    program.child.kill('SIGCONT');
    expect((await program.ended).code).toBe(0);
    expect(folder.lines('done')).toEqual(['first', 'wait', 'last']);
  });

  it('is fenced off when it was taken for dead: the journal has what its successor wrote', async () => {
    const { program, run } = await runAtGate();
    const { owner = '' } = await journalIn(folder.data);
    program.child.kill('SIGSTOP');
    takeForDead(owner);
    const successor = folder.start(['resume', run, '--jsonl', '-q']);
    await successor.event('the gate', ({ type }) => type === 'task.started');
    program.child.kill('SIGCONT');
    folder.write('go');
    const [lost, won] = await Promise.all([program.ended, successor.ended]);
    expect([won.code, won.lines.at(-1)?.['status']]).toEqual([0, 'succeeded']);
    expect(lost.code).toBe(1);
    expect(lost.lines.at(-1)).toMatchObject({ error: { code: 'TRP_JOURNAL_FENCED' } });
    const { records } = await journalIn(folder.data);
    expect(finishedIn(records)).toEqual(['first#1', 'wait#1', 'last#1']);
    expect(won.lines.filter(({ type }) => type === 'task.succeeded')).toHaveLength(2);
    expect(folder.lines('done').filter((task) => task === 'last')).toHaveLength(1);
  });
});

describe('a run that has succeeded', () => {
  it('is left as it is by a resume', async () => {
    folder.write('go');
    const { lines } = await folder.call('run', 'flow.json', '--jsonl', '-q');
    const { run, records } = await journalIn(folder.data);
    const again = await folder.call('resume', run, '--jsonl', '-q');
    expect(again.code).toBe(0);
    const { census, outputs, status } = again.lines.at(-1) as Record<string, unknown>;
    expect(lines.at(-1)).toMatchObject({ census, outputs, status });
    const after = (await journalIn(folder.data)).records;
    expect(after.slice(0, records.length)).toEqual(records);
    expect(after.slice(records.length).filter(({ type }) => type.startsWith('task.'))).toEqual([]);
    expect(folder.lines('done')).toEqual(['first', 'wait', 'last']);
  });
});

describe('two simultaneous resumes of one dead run', () => {
  it.each([1, 2, 3])('give the run to exactly one of them, round %i', async () => {
    const run = await deadRun();
    const before = (await journalIn(folder.data)).records.length;
    const resume = ['resume', run, '--jsonl', '-q'];
    const racers = [folder.start(resume), folder.start(resume)];
    const loser = await Promise.race(racers.map(({ ended }) => ended));
    expect([loser.code, object(loser)]).toMatchObject([1, { error: { code: 'TRP_RUN_OWNED' } }]);
    folder.write('go');
    const ends = await Promise.all(racers.map(({ ended }) => ended));
    expect(new Set(ends.map(({ code }) => code))).toEqual(new Set([0, 1]));
    const { records } = await journalIn(folder.data);
    expect(finishedIn(records)).toEqual(['first#1', 'wait#1', 'last#1']);
    expect(startedAgain(records, before)).toEqual([]);
    expect(records.filter(({ type }) => type === 'lease.taken')).toHaveLength(2);
    expect(folder.lines('done')).toEqual(['first', 'wait', 'last']);
  });
});
