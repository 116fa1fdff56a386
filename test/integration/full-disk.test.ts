import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WorkFolder } from './support/folder.ts';
import { finishedIn, journalIn, startedAgain } from './support/journal.ts';
import { isRunning, Program } from './support/program.ts';
import type { ProgramEnd, ProgramOptions } from './support/program.ts';
import { TinyDisk } from './support/tiny-disk.ts';

const agents = `
import { appendFileSync, existsSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
export function big({ task }) { appendFileSync('done', task + '\\n'); return task.repeat(10_000); }
export async function gate({ signal, task }) {
  writeFileSync('pid-' + task, String(process.pid));
  while (!existsSync('go')) await delay(5, undefined, { signal });
  return task;
}
`;

const links = 25;

/** About 1 MB of outputs, one after another, beside a task in a process of its own that waits. */
function document(more: object = {}): object {
  const chain = Array.from({ length: links }, (_, index) => [
    `big${index}`,
    {
      uses: 'function',
      module: './agents.mjs#big',
      needs: index === 0 ? ['gate_open'] : [`big${index - 1}`],
    },
  ]);
  const gate = { uses: 'function', module: './agents.mjs#gate', isolate: 'process' };
  return {
    tasks: {
      gate_open: { uses: 'command', command: ['sh', '-c', 'until test -s pid-gate; do :; done'] },
      gate,
      ...more,
      ...Object.fromEntries(chain),
    },
    outputs: { last: `\${tasks.big${links - 1}.output}` },
  };
}

let folder: WorkFolder;

beforeEach(() => {
  folder = new WorkFolder(agents);
  folder.document(document());
});

afterEach(() => folder.remove());

/** The run has stopped, told why, and left nothing behind but what it had acknowledged. */
async function expectStopped(end: ProgramEnd, dataDir: string): Promise<number> {
  expect(end.code).toBe(1);
  expect(end.lines.at(-1)).toMatchObject({ error: { code: 'TRP_JOURNAL_FULL' } });
  expect(folder.pids()).toHaveLength(1);
  expect(folder.pids().filter(isRunning)).toEqual([]);
  const { owner, records } = await journalIn(dataDir);
  expect(owner).toBeUndefined();
  const told = end.lines.filter(({ seq }) => typeof seq === 'number');
  const kept = records.map((record) => JSON.parse(JSON.stringify(record)) as object);
  expect(told.map(({ run: _run, ...record }) => record)).toEqual(
    kept.slice(0, told.length).map(({ run: _run, ...record }: { run?: string }) => record),
  );
  expect(finishedIn(records).length).toBeGreaterThan(2);
  expect(finishedIn(records).length).toBeLessThan(links);
  return records.length;
}

/** With space, the run goes on where it stood. */
async function expectResumed(dataDir: string, before: number): Promise<void> {
  folder.write('go');
  const { run } = await journalIn(dataDir);
  const end = await start('resume', run, dataDir).ended;
  expect([end.code, end.lines.at(-1)?.['outputs']]).toEqual([
    0,
    { last: `big${links - 1}`.repeat(10_000) },
  ]);
  const { records } = await journalIn(dataDir);
  expect(startedAgain(records, before)).toEqual([]);
  expect(finishedIn(records)).toHaveLength(links + 2);
}

function start(
  command: string,
  subject: string,
  dataDir: string,
  options: Partial<ProgramOptions> = {},
): Program {
  const args = [command, subject, '--jsonl', '-q', '--data', dataDir];
  return Program.start(args, { cwd: folder.path, ...options });
}

describe('a journal that finds no more space', () => {
  it('stops the run with what was acknowledged, which resumes when a file may grow again', async () => {
    const end = await start('run', 'flow.json', folder.data, { fileBlocks: 1200 }).ended;
    const before = await expectStopped(end, folder.data);
    await expectResumed(folder.data, before);
  });

  it('leaves no attempt at work in a host that lives on', async () => {
    folder.document(document({ hosted: { uses: 'function', module: 'host:wait' } }));
    const script = join(import.meta.dirname, 'support', 'host.mjs');
    const args = [resolve('dist'), 'flow.json', folder.data];
    const host = Program.start(args, { cwd: folder.path, script, fileBlocks: 1200 });
    const told = await host.event('the outcome', ({ type }) => type === 'host.told');
    expect(told).toEqual({ type: 'host.told', code: 'TRP_JOURNAL_FULL', aborted: 1, stopped: 1 });
    expect(folder.pids().filter(isRunning)).toEqual([]);
    expect(host.child.exitCode).toBeNull();
    await host.kill();
    const { records } = await journalIn(folder.data);
    expect(finishedIn(records).length).toBeGreaterThan(2);
  });

  it('keeps the run through resumes on the full disk until there is space', async () => {
    const disk = TinyDisk.mount(2 ** 21, 1_400_000);
    const dataDir = disk ? disk.path : folder.data;
    const options = disk ? {} : { fileBlocks: 1200 };
    try {
      const end = await start('run', 'flow.json', dataDir, options).ended;
      const before = await expectStopped(end, dataDir);
      const { run } = await journalIn(dataDir);
      const shown = await Program.start(['show', run, '--json', '--data', dataDir], {
        cwd: folder.path,
      }).ended;
      expect(JSON.parse(shown.stdout)).toMatchObject({ status: 'running' });
      const refused = await start('resume', run, dataDir, disk ? {} : { fileBlocks: 0 }).ended;
      expect(refused.code).toBe(1);
      expect(refused.lines.at(-1)).toMatchObject({ error: { code: 'TRP_JOURNAL_FULL' } });
      expect((await journalIn(dataDir)).owner).toBeUndefined();
      disk?.free();
      await expectResumed(dataDir, before);
    } finally {
      disk?.unmount();
    }
  });
});
