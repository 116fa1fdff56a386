import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TaskContext, TaskFunction } from '../../src/actors/behaviours/behaviour.ts';
import type { JournalRecord } from '../../src/journal/record.ts';
import type { RunReport } from '../../src/runtime/report.ts';
import { createTroupe } from '../../src/runtime/troupe.ts';
import { mergeInto } from '../../src/runtime/workspaces/merge.ts';

let home = '';
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'troupe-workspaces-'));
});
afterEach(() => rm(home, { recursive: true, force: true }));

const at = (...parts: string[]): string => join(home, ...parts);
const read = (...parts: string[]): string => readFileSync(at(...parts), 'utf8');

/** A function that writes files into its folder. */
const writing =
  (files: { readonly [name: string]: string }): TaskFunction =>
  ({ workspace = '' }: TaskContext) => {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(join(workspace, name, '..'), { recursive: true });
      writeFileSync(join(workspace, name), text);
    }
    return workspace;
  };

async function run(
  document: object,
  functions: { readonly [name: string]: TaskFunction },
): Promise<{ report: RunReport; records: readonly JournalRecord[] }> {
  const troupe = await createTroupe({ dataDir: at('data'), control: false, functions });
  try {
    const handle = await troupe.run({ version: 1, ...document });
    const report = await handle.outcome();
    return { report, records: await troupe.records(handle.id) };
  } finally {
    await troupe.close();
  }
}

const agent = (name: string, rest: object = {}): object => ({
  uses: 'function',
  module: `host:${name}`,
  ...rest,
});

const twoOf = (workspace: object): object => ({
  tasks: { a: agent('a', { workspace, priority: 9 }), b: agent('b', { workspace, priority: 2 }) },
  groups: { both: { tasks: ['a', 'b'] } },
  outputs: { done: '${groups.both.output}' },
});

const conflictsIn = (records: readonly JournalRecord[]): JournalRecord[] =>
  records.filter(({ type }) => type === 'conflict.recorded');

describe('a workspace', () => {
  it('is an empty folder of the attempt’s own, readable by its owner alone', async () => {
    const seen: string[] = [];
    const { report } = await run(
      { tasks: { t: agent('t', { workspace: true, retry: { backoff: 'none' } }) } },
      {
        t: ({ workspace = '', attempt }) => {
          seen.push(workspace);
          expect([readdirSync(workspace), statSync(workspace).mode & 0o777]).toEqual([[], 0o700]);
          writeFileSync(join(workspace, 'left'), 'x');
          if (attempt === 1) throw new Error('again');
          return null;
        },
      },
    );
    expect(report.status).toBe('succeeded');
    const base = at('data', 'workspaces', report.run_id, 't');
    expect(seen).toEqual([join(base, '1'), join(base, '2')]);
  });

  it('is filled from a folder, without its links', async () => {
    mkdirSync(at('src', 'deep'), { recursive: true });
    writeFileSync(at('src', 'deep', 'file'), 'text', { mode: 0o750 });
    writeFileSync(at('secret'), 'secret');
    symlinkSync(at('secret'), at('src', 'link'));
    const { report } = await run(
      { tasks: { t: agent('t', { workspace: { from: at('src') } }) } },
      {
        t: ({ workspace = '' }) => {
          expect(readFileSync(join(workspace, 'deep', 'file'), 'utf8')).toBe('text');
          return readdirSync(workspace);
        },
      },
    );
    expect(report.outputs).toEqual({ t: ['deep'] });
  });

  it('is the working folder of a program', async () => {
    const command = [
      'node',
      '-e',
      'console.log(JSON.stringify({type:"result",output:[process.cwd(),process.env.TROUPE_WORKSPACE]}))',
    ];
    const { report } = await run(
      { tasks: { t: { uses: 'command', command, workspace: true } } },
      {},
    );
    const [cwd, named] = (report.outputs as { t: [string, string] }).t;
    expect([named, lstatSync(cwd).ino]).toEqual([
      at('data', 'workspaces', report.run_id, 't', '1'),
      lstatSync(named).ino,
    ]);
  });

  it('lies in a temporary folder that is gone after close, where nothing is kept', async () => {
    const troupe = await createTroupe({ functions: { t: writing({ file: 'x' }) } });
    const handle = await troupe.run({ version: 1, tasks: { t: agent('t', { workspace: true }) } });
    const path = ((await handle.outcome()).outputs as { t: string }).t;
    expect(existsSync(join(path, 'file'))).toBe(true);
    await troupe.close();
    expect(existsSync(path)).toBe(false);
  });
});

describe('what tasks left in workspaces', () => {
  it('is merged when their group has ended, before what comes after the group begins', async () => {
    const document = twoOf({ into: at('out') }) as { tasks: object };
    const tasks = { ...document.tasks, after: agent('after', { needs: ['both'] }) };
    const { report, records } = await run(
      { ...document, tasks, outputs: { seen: '${tasks.after.output}' } },
      {
        a: writing({ 'a.txt': 'A', 'deep/a.txt': 'AA' }),
        b: writing({ 'b.txt': 'B' }),
        after: () => readdirSync(at('out')).sort(),
      },
    );
    expect(report.outputs).toEqual({ seen: ['a.txt', 'b.txt', 'deep'] });
    expect(records.find(({ type }) => type === 'workspace.merged')).toMatchObject({
      unit: 'both',
      files: 3,
    });
    expect(conflictsIn(records)).toEqual([]);
  });

  it('is never overwritten silently: the stronger file stands, the other is kept beside, and it is recorded', async () => {
    const { report, records } = await run(twoOf({ into: at('out') }), {
      a: writing({ 'notes.md': 'by a' }),
      b: writing({ 'notes.md': 'by b' }),
    });
    expect([read('out', 'notes.md'), read('out', 'notes.md.b')]).toEqual(['by a', 'by b']);
    expect(conflictsIn(records)).toMatchObject([
      {
        key: 'file:notes.md',
        mine: { task: 'b' },
        theirs: { agent: 'a' },
        dropped: { kept_as: 'notes.md.b' },
      },
    ]);
    expect(report.conflicts).toEqual({ recorded: 1, open: 0 });
  });

  it('is merged line by line where both began from one text', async () => {
    mkdirSync(at('src'));
    writeFileSync(at('src', 'plan'), 'one\ntwo\nthree\nfour');
    const { records } = await run(twoOf({ from: at('src'), into: at('src') }), {
      a: writing({ plan: 'ONE\ntwo\nthree\nfour' }),
      b: writing({ plan: 'one\ntwo\nthree\nFOUR' }),
    });
    expect(read('src', 'plan')).toBe('ONE\ntwo\nthree\nFOUR');
    expect(conflictsIn(records)).toEqual([]);
  });

  it('leaves out what failed attempts and failed tasks wrote', async () => {
    const tasks = {
      a: agent('a', { workspace: { into: at('out') }, retry: { backoff: 'none' } }),
      b: agent('b', { workspace: { into: at('out') }, retry: 1 }),
    };
    await run(
      { tasks, groups: { both: { tasks: ['a', 'b'], barrier: { min_success: 1 } } } },
      {
        a: (context) => {
          writing({ [`try-${context.attempt}`]: 'x' })(context);
          if (context.attempt === 1) throw new Error('again');
          return null;
        },
        b: (context) => {
          writing({ 'of-b': 'x' })(context);
          throw new Error('no');
        },
      },
    );
    expect(readdirSync(at('out'))).toEqual(['try-2']);
  });

  it('replaces what an earlier task left there, but not what came meanwhile', async () => {
    mkdirSync(at('out'));
    writeFileSync(at('out', 'old'), 'old');
    const { records } = await run(
      { tasks: { t: agent('t', { workspace: { into: at('out') } }) } },
      {
        t: (context) => {
          writing({ old: 'new', other: 'mine' })(context);
          writeFileSync(at('out', 'other'), 'came meanwhile');
          return null;
        },
      },
    );
    expect([read('out', 'old'), read('out', 'other'), read('out', 'other.t')]).toEqual([
      'new',
      'came meanwhile',
      'mine',
    ]);
    expect(conflictsIn(records)).toMatchObject([{ key: 'file:other', theirs: { agent: '' } }]);
  });

  it('never leaves the target through a link, and the refusal is in the journal', async () => {
    mkdirSync(at('out'));
    mkdirSync(at('outside'));
    symlinkSync(at('outside'), at('out', 'way'));
    const { report, records } = await run(
      { tasks: { t: agent('t', { workspace: { into: at('out') } }) } },
      { t: writing({ 'way/file': 'x' }) },
    );
    expect(readdirSync(at('outside'))).toEqual([]);
    expect(records.find(({ type }) => type === 'workspace.merged')).toMatchObject({
      files: 0,
      error: { code: 'TRP_WORKSPACE' },
    });
    expect([report.status, report.reason]).toEqual(['partial', 'workspace_not_merged']);
  });

  it('gives the same when it is merged once more, as after a crash before its record', async () => {
    const { report } = await run(twoOf({ into: at('out') }), {
      a: writing({ x: 'by a', only: 'a' }),
      b: writing({ x: 'by b' }),
    });
    const before = readdirSync(at('out')).map((name) => [name, read('out', name)]);
    const path = (task: string): string => at('data', 'workspaces', report.run_id, task, '1');
    const contributions = ['a', 'b'].map((task) => ({
      task,
      agent: task,
      path: path(task),
      from: undefined,
    }));
    await mergeInto({ into: at('out'), contributions });
    expect(readdirSync(at('out')).map((name) => [name, read('out', name)])).toEqual(before);
  });

  it('takes turns, so that two tasks that end together lose nothing of each other', async () => {
    const tasks = Object.fromEntries(
      ['a', 'b', 'c', 'd'].map((name) => [name, agent('t', { workspace: { into: at('out') } })]),
    );
    const { records } = await run(
      { tasks },
      { t: (context) => writing({ same: context.task, [`own-${context.task}`]: 'x' })(context) },
    );
    const names = readdirSync(at('out'));
    expect(names.filter((name) => name.startsWith('same'))).toHaveLength(4);
    const contents = names
      .filter((name) => name.startsWith('same'))
      .map((name) => read('out', name));
    expect(contents.sort()).toEqual(['a', 'b', 'c', 'd']);
    expect(conflictsIn(records)).toHaveLength(3);
  });

  it('keeps a file beside under a name that nothing else has', async () => {
    const { records } = await run(
      {
        tasks: {
          a: agent('a', { workspace: { into: at('out') }, priority: 9 }),
          txt: agent('b', { workspace: { into: at('out') }, priority: 2 }),
        },
        groups: { both: { tasks: ['a', 'txt'] } },
      },
      {
        a: writing({ notes: 'by a', 'notes.txt': 'text by a' }),
        b: writing({ notes: 'by b' }),
      },
    );
    expect(read('out', 'notes.txt')).toBe('text by a');
    expect(read('out', 'notes.txt.2')).toBe('by b');
    expect(conflictsIn(records)).toMatchObject([{ dropped: { kept_as: 'notes.txt.2' } }]);
  });

  it.each([
    ['file', { x: 'file' }, { 'x/y': 'in folder', z: 'other' }],
    ['folder', { 'x/y': 'in folder', z: 'other' }, { x: 'file' }],
  ])(
    'has the stronger %s where one wrote a file and another a folder of its name',
    async (_, strong, weak) => {
      const { report, records } = await run(twoOf({ into: at('out') }), {
        a: writing(strong),
        b: writing(weak as { [name: string]: string }),
      });
      const kept = 'x' in strong ? 'x.b.y' : 'x.b';
      expect(readdirSync(at('out')).sort()).toEqual(['x', kept, 'z'].sort());
      expect(read('out', kept)).toBe('x' in strong ? 'in folder' : 'file');
      expect(conflictsIn(records)).toMatchObject([
        { mine: { task: 'b' }, theirs: { agent: 'a' }, dropped: { kept_as: kept } },
      ]);
      expect(report.status).toBe('succeeded');
    },
  );

  it('takes over permission bits that a task changed, and leaves others as they were', async () => {
    mkdirSync(at('src'));
    writeFileSync(at('src', 'script'), 'same', { mode: 0o640 });
    writeFileSync(at('src', 'tool'), 'one\ntwo\nthree', { mode: 0o750 });
    const { records } = await run(twoOf({ from: at('src'), into: at('src') }), {
      a: ({ workspace = '' }) => {
        writeFileSync(join(workspace, 'tool'), 'ONE\ntwo\nthree');
        return null;
      },
      b: ({ workspace = '' }) => {
        chmodSync(join(workspace, 'script'), 0o750);
        writeFileSync(join(workspace, 'tool'), 'one\ntwo\nTHREE');
        return null;
      },
    });
    expect(statSync(at('src', 'script')).mode & 0o777).toBe(0o750);
    expect([read('src', 'tool'), statSync(at('src', 'tool')).mode & 0o777]).toEqual([
      'ONE\ntwo\nTHREE',
      0o750,
    ]);
    expect(conflictsIn(records)).toEqual([]);
  });

  it('reads no pipes, links or devices, and files of any name', async () => {
    const { report } = await run(
      { tasks: { t: agent('t', { workspace: { into: at('out') } }) } },
      {
        t: (context) => {
          writing({ __proto: 'x', constructor: 'y', 'a b\n': 'z' })(context);
          writeFileSync(join(context.workspace ?? '', '__proto__'), 'p');
          symlinkSync('/etc/hostname', join(context.workspace ?? '', 'link'));
          execFileSync('mkfifo', [join(context.workspace ?? '', 'pipe')]);
          return null;
        },
      },
    );
    expect(report.status).toBe('succeeded');
    expect(readdirSync(at('out')).sort()).toEqual(
      ['__proto', '__proto__', 'a b\n', 'constructor'].sort(),
    );
    expect(read('out', '__proto__')).toBe('p');
  });

  it('of more than a few megabytes is not merged, but nothing of it is lost', async () => {
    mkdirSync(at('src'));
    const lines = 'x'.repeat(17 * 1024 * 1024);
    writeFileSync(at('src', 'big'), lines);
    const { records } = await run(twoOf({ from: at('src'), into: at('src') }), {
      a: writing({ big: `A\n${lines}` }),
      b: writing({ big: `${lines}\nB` }),
    });
    expect(read('src', 'big').slice(0, 3)).toBe('A\nx');
    expect(read('src', 'big.b').slice(-3)).toBe('x\nB');
    expect(conflictsIn(records)).toHaveLength(1);
  });

  it('that cannot be merged whole is told, and a later try merges the rest', async () => {
    const functions = {
      a: writing({ 'one/x': 'A', 'way/x': 'A', z: 'A' }),
      b: writing({ z: 'B' }),
    };
    mkdirSync(at('out'));
    symlinkSync(at('elsewhere'), at('out', 'way'));
    const troupe = await createTroupe({ dataDir: at('data'), control: false, functions });
    try {
      const handle = await troupe.run({ version: 1, ...twoOf({ into: at('out') }) });
      expect((await handle.outcome()).reason).toBe('workspace_not_merged');
      rmSync(at('out', 'way'));
      const again = await (await troupe.resume(handle.id)).outcome();
      expect(again.status).toBe('succeeded');
      expect(readdirSync(at('out')).sort()).toEqual(['one', 'way', 'z', 'z.b']);
      expect(conflictsIn(await troupe.records(handle.id))).toHaveLength(1);
    } finally {
      await troupe.close();
    }
  });
});
