import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { showConflicts } from '../../src/cli/commands/conflicts.ts';
import type { JournalRecord } from '../../src/journal/record.ts';
import { createTroupe } from '../../src/runtime/troupe.ts';
import { eventually } from '../support/eventually.ts';
import type { FakeShell } from './support/fake-shell.ts';
import { cli, folder, shellWith, useSandbox } from './support/sandbox.ts';

useSandbox();

const clash = {
  version: 1,
  name: 'clash',
  tasks: {
    a: {
      uses: 'simulate',
      with: { duration: 1, writes: { 'plan.x': 'by a' } },
      writes: ['plan.x'],
    },
    b: {
      uses: 'simulate',
      with: { duration: 50, writes: { 'plan.x': 'by b' } },
      writes: ['plan.x'],
    },
  },
  groups: { both: { tasks: ['a', 'b'] } },
  memory: { keys: { 'plan.*': { merge: 'manual' } } },
  outputs: { plan: '${memory.plan.x}' },
};

const realShell = (): FakeShell => shellWith({ openTroupe: createTroupe });

/** A run that has ended with an open conflict, in the folder that commands look into. */
async function ended(): Promise<string> {
  const troupe = await createTroupe({ dataDir: join(folder, '.troupe'), control: false });
  const handle = await troupe.run(clash);
  await handle.outcome();
  await troupe.close();
  return handle.id;
}

async function json(...args: string[]): Promise<Record<string, unknown>> {
  const shell = realShell();
  expect([await cli(shell, ...args, '--json'), shell.stderr]).toEqual([0, '']);
  return JSON.parse(shell.stdout) as Record<string, unknown>;
}

describe('conflicts on the command line', () => {
  it('are told with who, where, by which rule, and how to answer', async () => {
    const run = await ended();
    const shell = realShell();
    expect(await cli(shell, 'show', run, '--conflicts')).toBe(0);
    expect(shell.stdout).toMatch(/open {2}plan\.x/);
    expect(shell.stdout).toMatch(/b \(b\) from revision \d+ met a at revision \d+, by manual/);
    expect(shell.stdout).toMatch(/ theirs: "by a"\n/);
    expect(shell.stdout).toMatch(/ mine: "by b"\n/);
    expect(shell.stdout).not.toContain('hash');
    expect(shell.stdout).toMatch(new RegExp(`next: troupe answer ${run} \\d+ theirs\\|mine`));
  });

  it.each([
    [null, 'nothing'],
    [[1, 2], '[1,2]'],
    [{ kept_as: 'y.txt.ui', lines: [] }, 'the file; all of it is kept as y.txt.ui'],
    [
      { kept_as: 'y.txt.ui', lines: [{ line: 1, text: 'x' }] },
      '1 line of the file; all of it is kept as y.txt.ui',
    ],
  ])('tell in words that %j was dropped', (dropped, words) => {
    const shell = shellWith();
    const record: JournalRecord = {
      type: 'conflict.recorded',
      seq: 1,
      at: 0,
      key: 'k',
      rule: 'workspace',
      base: 0,
      theirs: { agent: 'a', revision: 0 },
      mine: { agent: 'b', task: 'b' },
      dropped,
    };
    showConflicts(shell, 'run-1', { records: [record], json: false });
    expect(shell.stdout).toContain(` dropped: ${words}\n`);
  });

  it.each([
    [['mine'], 'mine', 'by b'],
    [['theirs'], 'theirs', 'by a'],
    [['--value', '{"x":1}'], 'value', { x: 1 }],
  ])(
    'are decided by answer %j, after which the run has succeeded',
    async (answer, choice, plan) => {
      const run = await ended();
      const { conflicts } = (await json('show', run, '--conflicts')) as {
        conflicts: [{ id: number }];
      };
      const id = String(conflicts[0].id);
      expect(await json('answer', run, id, ...answer)).toEqual({
        format: 1,
        run_id: run,
        conflict: conflicts[0].id,
        choice,
      });
      expect(await json('show', run)).toMatchObject({
        status: 'succeeded',
        outputs: { plan },
        conflicts: { open: 0 },
      });
      expect(await json('show', run, '--conflicts')).toMatchObject({
        conflicts: [{ state: choice, resolved_by: 'command line' }],
      });
      expect(await cli(realShell(), 'answer', run, id, ...answer)).not.toBe(0);
    },
  );

  it.each([
    [['x', 'mine']],
    [['1']],
    [['1', 'yours']],
    [['1', '--value', '{']],
    [['1', 'mine', '--value', '1']],
  ])('are not decided by %j', async (args) => {
    const shell = realShell();
    expect(await cli(shell, 'answer', 'last', ...args)).toBe(2);
    expect(shell.stderr).toContain('TRP_OPTION_INVALID');
  });

  it('of a live run are decided from outside, by way of its owner', async () => {
    const dataDir = join(folder, '.troupe');
    let finish: () => void = () => undefined;
    const finished = new Promise<void>((resolve) => (finish = resolve));
    const owner = await createTroupe({
      dataDir,
      functions: { wait: () => finished.then(() => null) },
    });
    const tasks = { ...clash.tasks, wait: { uses: 'function', module: 'host:wait' } };
    const handle = await owner.run({ ...clash, tasks });
    for await (const event of handle.events()) {
      if (event.type === 'conflict.recorded') {
        const socket = join(dataDir, 'nodes', owner.node, 'control.sock');
        await eventually('the owner listens', () => existsSync(socket));
        await json('answer', handle.id, String(event.seq), 'mine');
        finish();
      }
    }
    const report = await handle.outcome();
    expect([report.status, report.outputs]).toEqual(['succeeded', { plan: 'by b' }]);
    await owner.close();
  });
});
