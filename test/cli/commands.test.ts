import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { errorCodes } from '../../src/core/errors.ts';
import { openWorkflowFile } from '../../src/cli/workflow-file.ts';
import { exitCodeOfError, exitCodeOfRun } from '../../src/cli/exit-codes.ts';
import { wantsColour } from '../../src/cli/shell.ts';
import type { FakeShell } from './support/fake-shell.ts';
import type { FakeTroupe } from './support/fake-troupe.ts';
import { cli, document, folder, opened, shellWith, troupe, useSandbox } from './support/sandbox.ts';
import { taskReport } from './support/reports.ts';

useSandbox();

describe('the command line', () => {
  it('shows its help on standard output without arguments, with --help and for help', async () => {
    for (const args of [[], ['--help'], ['help']]) {
      const shell = shellWith();
      expect(await cli(shell, ...args)).toBe(0);
      expect(shell.stdout).toContain('Usage: troupe');
    }
  });

  it.each([
    'init',
    'validate',
    'plan',
    'run',
    'runs',
    'show',
    'resume',
    'cancel',
    'answer',
    'graph',
    'doctor',
  ])('has an example in the help of %s', async (command) => {
    const shell = shellWith();
    expect(await cli(shell, command, '--help')).toBe(0);
    expect(shell.stdout).toMatch(new RegExp(`Examples:\\n {2}\\$ troupe ${command}`));
  });

  it('tells its version', async () => {
    const shell = shellWith();
    expect([await cli(shell, '--version'), shell.stdout]).toEqual([0, '1.2.3\n']);
  });

  it.each([
    [['rnu'], 'Did you mean run?'],
    [['run', '--jsno', 'flow.yaml'], 'Did you mean --json?'],
    [['run'], 'troupe run --help'],
    [['run', 'flow.yaml', '--seed', '-1'], '--seed'],
    [['run', 'flow.yaml', '--level', 'disk'], 'memory, process, power'],
    [['run', 'flow.yaml', '--concurrency', '0'], '--concurrency'],
    [['run', 'flow.yaml', '--deadline', 'soon'], '--deadline'],
    [['graph', 'flow.yaml', '--format', 'png'], 'mermaid, dot, json'],
    [['graph'], 'a workflow file is missing\n  next: Name it: troupe graph FILE'],
  ])('ends with 2 and a hint on standard error for %j', async (args, hint) => {
    const shell = shellWith();
    expect(await cli(shell, ...args)).toBe(2);
    expect([shell.stdout, shell.stderr]).toEqual(['', expect.stringContaining(hint)]);
    expect(shell.stderr).toMatch(/^error TRP_OPTION_INVALID: .*\n( {2}at .*\n)?( {2}next: .*\n)?$/);
    expect(shell.stderr).not.toContain(errorCodes.TRP_OPTION_INVALID);
  });

  it('tells an error as JSON on standard output with --json, and nothing else anywhere', async () => {
    const shell = shellWith();
    expect(await cli(shell, 'run', '--json', '--sede', '1')).toBe(2);
    expect(shell.json()).toMatchObject({
      format: 1,
      error: { code: 'TRP_OPTION_INVALID', place: null, hint: expect.stringContaining('--seed') },
    });
    expect(shell.stderr).toBe('');
  });
});

describe('validate', () => {
  it('ends with 0 for a valid file', async () => {
    const shell = shellWith();
    expect(await cli(shell, 'validate', 'flow.yaml')).toBe(0);
    expect(shell.stdout).toContain('valid  flow.yaml  2 tasks, 0 groups');
  });

  it('ends with 2 and names every fault with its place as the caller named the file', async () => {
    const shell = shellWith();
    expect(await cli(shell, 'validate', 'bad.yaml')).toBe(2);
    expect(shell.stdout).toMatch(
      /^bad\.yaml:4:\d+ {2}error TRP_WORKFLOW_\w+ {2}.*agnt.*\n {2}next: .*agent/m,
    );
    expect(shell.stdout).toMatch(/^bad\.yaml:5:\d+ {2}error /m);
  });

  it('gives faults as JSON with code, message, file, line, column, path and hint', async () => {
    const shell = shellWith();
    expect(await cli(shell, 'validate', 'bad.yaml', '--json')).toBe(2);
    const { faults, format, valid, warnings } = shell.json() as { [key: string]: unknown } & {
      faults: object[];
    };
    expect([format, valid, warnings]).toEqual([1, false, []]);
    for (const fault of faults) {
      expect(Object.keys(fault).sort()).toEqual([
        'code',
        'column',
        'file',
        'hint',
        'line',
        'message',
        'path',
      ]);
      expect(fault).toMatchObject({ file: 'bad.yaml' });
    }
  });

  it('reads standard input for a dash', async () => {
    expect(await cli(shellWith({ input: document }), 'validate', '-')).toBe(0);
  });

  it('names a file that is not there', async () => {
    const shell = shellWith();
    expect(await cli(shell, 'validate', 'none.yaml')).toBe(2);
    expect(shell.stdout).toContain('TRP_WORKFLOW_UNREADABLE');
  });
});

describe('plan', () => {
  it('gives the promised keys as JSON', async () => {
    const shell = shellWith();
    expect(await cli(shell, 'plan', 'flow.yaml', '--json')).toBe(0);
    expect(shell.json()).toMatchObject({
      format: 1,
      makespan_ms: 3000,
      lower_bound_ms: 3000,
      critical_path: ['a', 'b'],
      groups: [{ tasks: ['a'] }, { tasks: ['b'] }],
      tasks: [
        { id: 'a', start_ms: 0, finish_ms: 1000, slack_ms: 0, critical: true },
        { id: 'b', start_ms: 1000, finish_ms: 3000, slack_ms: 0, critical: true },
      ],
      conflicts: [],
      reasons: expect.any(Array),
    });
  });

  it('is text for people otherwise', async () => {
    const shell = shellWith();
    expect(await cli(shell, 'plan', 'flow.yaml')).toBe(0);
    expect(shell.stdout).toContain('a -> b');
  });

  it('fits a narrow terminal', async () => {
    const shell = shellWith({ outTerminal: { columns: 40, rows: 24 } });
    expect(await cli(shell, 'plan', 'flow.yaml')).toBe(0);
    for (const line of shell.stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(40);
    expect(shell.stdout).toMatch(/^b \|.*#$/m);
  });

  it('ends with 2 and every fault for an invalid file', async () => {
    const shell = shellWith();
    expect(await cli(shell, 'plan', 'bad.yaml', '--json')).toBe(2);
    expect(shell.json()).toMatchObject({
      error: { code: expect.stringMatching(/^TRP_WORKFLOW_/) },
      faults: expect.any(Array),
    });
  });
});

describe('graph', () => {
  it.each(['mermaid', 'dot'])('draws a workflow in %s', async (format) => {
    const shell = shellWith();
    expect(await cli(shell, 'graph', 'flow.yaml', '--format', format)).toBe(0);
    expect(shell.stdout).toMatch(/^(flowchart|digraph)/);
  });

  it('gives a workflow as JSON', async () => {
    const shell = shellWith();
    await cli(shell, 'graph', 'flow.yaml', '--format', 'json');
    expect(shell.json()).toMatchObject({
      format: 1,
      nodes: [{ id: 'a' }, { id: 'b' }],
      edges: [{ from: 'a', to: 'b', kind: 'data' }],
    });
  });

  it('draws every machine, whose arrows all lead to states that there are', async () => {
    const shell = shellWith();
    await cli(shell, 'graph', '--machines', '--format', 'json');
    const { machines } = shell.json() as {
      machines: { name: string; states: { id: string }[]; transitions: { to: string[] }[] }[];
    };
    expect(machines.map(({ name }) => name)).toEqual(expect.arrayContaining(['run', 'worker']));
    for (const { states, transitions } of machines) {
      const ids = new Set(states.map(({ id }) => id));
      for (const { to } of transitions) for (const target of to) expect(ids.has(target)).toBe(true);
    }
  });

  it('names the machines that there are when one is unknown', async () => {
    const shell = shellWith();
    expect(await cli(shell, 'graph', 'wroker', '--machines')).toBe(2);
    expect(shell.stderr).toContain('worker');
  });
});

describe('init', () => {
  it('writes a workflow that is valid, and its functions', async () => {
    const shell = shellWith();
    expect(await cli(shell, 'init', 'demo')).toBe(0);
    expect(readdirSync(join(folder, 'demo')).sort()).toEqual(['agents.mjs', 'workflow.yaml']);
    expect(shell.stdout).toContain(`troupe run ${join('demo', 'workflow.yaml')}`);
    const checked = shellWith();
    expect(await cli(checked, 'validate', 'demo/workflow.yaml', '--json')).toBe(0);
    expect(checked.json()).toMatchObject({ warnings: [] });
  });

  it('writes nothing when one of its files is there', async () => {
    mkdirSync(join(folder, 'demo'));
    writeFileSync(join(folder, 'demo', 'agents.mjs'), 'mine');
    const shell = shellWith();
    expect(await cli(shell, 'init', 'demo')).toBe(2);
    expect(readdirSync(join(folder, 'demo'))).toEqual(['agents.mjs']);
    expect(readFileSync(join(folder, 'demo', 'agents.mjs'), 'utf8')).toBe('mine');
  });
});

describe('stored runs', () => {
  const summary = (run_id: string, started_at: string): FakeTroupe['stored'][number] => ({
    run_id,
    started_at,
    workflow: 'sample',
    status: 'interrupted',
    tasks_done: 2,
    tasks_succeeded: 1,
    tasks_total: 2,
    owner: null,
  });

  beforeEach(() => {
    mkdirSync(join(folder, '.troupe'));
    troupe.stored = [
      summary('run-0000000000000001', '2026-01-01T00:00:00.000Z'),
      summary('run-0000000000000002', '2026-01-02T00:00:00.000Z'),
    ];
  });

  it('are listed newest first', async () => {
    const shell = shellWith();
    expect(await cli(shell, 'runs', '--json')).toBe(0);
    expect(shell.json()).toMatchObject({
      format: 1,
      runs: [{ run_id: 'run-0000000000000002' }, { run_id: 'run-0000000000000001' }],
    });
  });

  it('tell how many of their tasks have succeeded, not how many have ended', async () => {
    const shell = shellWith();
    expect(await cli(shell, 'runs')).toBe(0);
    expect(shell.stdout).toMatch(/status +succeeded/);
    expect(shell.stdout).toMatch(/interrupted +1\/2/);
  });

  it('are none, and no folder is made, when there is no data folder', async () => {
    const shell = shellWith();
    expect(await cli(shell, 'runs', '--data', 'none', '--json')).toBe(0);
    expect([shell.json(), opened]).toEqual([{ format: 1, runs: [] }, []]);
    expect(readdirSync(folder)).not.toContain('none');
  });

  it.each(['runs', 'run flow.yaml', 'show last', 'resume last'])(
    'are not looked for in a file by %s',
    async (command) => {
      const shell = shellWith();
      expect(await cli(shell, ...command.split(' '), '--data', 'flow.yaml')).toBe(2);
      expect(shell.stderr).toContain('"flow.yaml" is a file, not a folder');
      expect(opened).toEqual([]);
    },
  );

  it('are shown by a prefix that only one has', async () => {
    const shell = shellWith();
    troupe.stored = troupe.stored.slice(0, 1);
    troupe.live.end({ tasks: [taskReport('a')] });
    expect(await cli(shell, 'show', '0000', '--json')).toBe(0);
    expect(shell.json()).toEqual(troupe.live.current);
  });

  it.each([
    ['9', 'no run begins or ends with'],
    ['0', '2 runs begin with'],
    ['run-00', '2 runs begin with'],
  ])('are not found by %s', async (prefix, message) => {
    const shell = shellWith();
    expect(await cli(shell, 'show', prefix)).toBe(2);
    expect(shell.stderr).toContain(message);
  });

  it('are shown with their records on demand', async () => {
    troupe.journal = [{ type: 'lease.taken', epoch: 1, node: 'n', seq: 1, at: 1 }];
    const json = shellWith();
    await cli(json, 'show', '0000000000000001', '--records', '--json');
    expect(json.json()).toEqual({
      format: 1,
      run_id: 'run-0000000000000001',
      records: troupe.journal,
    });
    const text = shellWith();
    await cli(text, 'show', '0000000000000001', '--records');
    expect(text.stdout).toContain('lease.taken           {"epoch":1,"node":"n"}');
  });

  it('are cancelled, whoever owns them', async () => {
    const shell = shellWith();
    expect(await cli(shell, 'cancel', '0000000000000001', '--json')).toBe(0);
    expect(shell.json()).toEqual({
      format: 1,
      run_id: 'run-0000000000000001',
      status: 'cancelled',
    });
  });

  it('are not cancelled when they have ended, and tell how to go on', async () => {
    troupe.live.end({ status: 'cancelled', reason: 'cancelled_by_user' });
    const shell = shellWith();
    expect(await cli(shell, 'cancel', '0000000000000001')).toBe(1);
    expect(shell.stderr).toBe(
      'error TRP_RUN_ENDED: run-0000000000000001 has ended already (cancelled); to go on: troupe resume run-0000000000000001\n',
    );
    expect(troupe.asked).toEqual([]);
  });

  it('are shown as interrupted when nobody owns them and they have not ended', async () => {
    const shell = shellWith();
    await cli(shell, 'show', '0000000000000001');
    expect(shell.stdout).toMatch(/^interrupted {2}sample {2}run-0000000000000001\n/);
    expect(shell.stdout).not.toContain('in_progress');
  });

  it('stand in a table that a narrow terminal holds, with whole ids', async () => {
    const shell = shellWith({ outTerminal: { columns: 40, rows: 24 } });
    await cli(shell, 'runs');
    const lines = shell.stdout.trimEnd().split('\n');
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(40);
    expect(lines[1]).toContain('run-0000000000000002');
  });

  describe('whose document has changed', () => {
    const noted = 'goes on with the document as it was when the run began; flow.yaml has changed';

    async function resumed(
      hashOf: (hash: string) => string,
      more: object = {},
    ): Promise<FakeShell> {
      const { workflow } = await openWorkflowFile(shellWith(), 'flow.yaml');
      const start = { type: 'run.started', run: 'x', format: 1, engine: '', seed: 1 } as const;
      const told = { ...workflow, hash: hashOf(workflow.hash), ...more };
      troupe.journal = [
        {
          ...start,
          source: 'flow.yaml',
          input: {},
          simulated: false,
          workflow: told,
          seq: 1,
          at: 1,
        },
      ];
      troupe.live.end({});
      const shell = shellWith();
      expect(await cli(shell, 'resume', '0000000000000001')).toBe(0);
      return shell;
    }

    it('say that they go on with the old one', async () => {
      expect((await resumed(() => 'another')).stderr).toContain(noted);
    });

    it('say nothing when it is the same, or only a deadline was set over it', async () => {
      expect((await resumed((hash) => hash)).stderr).not.toContain(noted);
      const { workflow } = await openWorkflowFile(shellWith(), 'flow.yaml', { deadline: 90_000 });
      const overridden = await resumed(() => workflow.hash, { deadlineMs: 90_000 });
      expect(overridden.stderr).not.toContain(noted);
    });

    it('say so when it is no longer valid, and nothing when it is gone', async () => {
      const broken = resumed((hash) => {
        writeFileSync(join(folder, 'flow.yaml'), 'version: 1\nname: x\n');
        return hash;
      });
      expect((await broken).stderr).toContain(noted);
      writeFileSync(join(folder, 'flow.yaml'), document);
      const gone = resumed((hash) => {
        rmSync(join(folder, 'flow.yaml'));
        return hash;
      });
      expect((await gone).stderr).not.toContain(noted);
    });
  });

  it('are resumed in files or not at all', async () => {
    expect(await cli(shellWith(), 'resume', '0000000000000001', '--level', 'memory')).toBe(2);
    expect(opened).toEqual([]);
  });

  it('go on with the workflow that they began with', async () => {
    const start = {
      type: 'run.started',
      run: 'x',
      format: 1,
      engine: '',
      source: '',
      input: {},
      seed: 1,
      simulated: false,
    } as const;
    troupe.journal = [
      { ...start, workflow: { name: 'old one', tasks: [], groups: [] } as never, seq: 1, at: 1 },
    ];
    troupe.live.end({ status: 'partial' });
    const shell = shellWith();
    expect(await cli(shell, 'resume', '0000000000000001')).toBe(3);
    expect(troupe.asked).toEqual([['resume', 'run-0000000000000001']]);
    expect(shell.stderr).toContain('old one');
  });
});

describe('an exit code', () => {
  it('is 2 for what the caller can mend and 1 for the rest', () => {
    expect(
      (
        [
          'TRP_WORKFLOW_CYCLE',
          'TRP_INPUT_INVALID',
          'TRP_OPTION_INVALID',
          'TRP_RUN_NOT_FOUND',
        ] as const
      ).map(exitCodeOfError),
    ).toEqual([2, 2, 2, 2]);
    expect(
      (
        ['TRP_JOURNAL_FULL', 'TRP_RUN_OWNED', 'TRP_CONTROL_UNREACHABLE', 'TRP_INTERNAL'] as const
      ).map(exitCodeOfError),
    ).toEqual([1, 1, 1, 1]);
  });

  it('is that of a failure for a run that has not ended', () => {
    expect(exitCodeOfRun('running')).toBe(1);
  });
});

describe('colour', () => {
  it.each([
    [{}, true, true],
    [{}, false, false],
    [{ TERM: 'dumb' }, true, false],
    [{ NO_COLOR: '1' }, true, false],
    [{ NO_COLOR: '' }, true, true],
    [{ FORCE_COLOR: '1' }, false, true],
    [{ FORCE_COLOR: '0' }, true, false],
    [{ NO_COLOR: '1', FORCE_COLOR: '1' }, false, false],
  ])('under %j with a terminal: %s is %s', (env, isTerminal, expected) => {
    expect(wantsColour(env, isTerminal)).toBe(expected);
  });
});
