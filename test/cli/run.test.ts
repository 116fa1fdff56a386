import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RunReport } from '../../src/runtime/report.ts';
import { eventually } from '../support/eventually.ts';
import type { FakeShell } from './support/fake-shell.ts';
import { cli, folder, opened, shellWith, troupe, useSandbox } from './support/sandbox.ts';
import { playBack } from './support/terminal.ts';
import { taskReport } from './support/reports.ts';

useSandbox();

const event = {
  type: 'task.started',
  task: 'a',
  attempt: 1,
  iteration: 1,
  run: 'run-0000000000000001',
  seq: 2,
  at: 5,
} as const;

describe('run', () => {
  it.each<[RunReport['status'], number]>([
    ['succeeded', 0],
    ['failed', 1],
    ['partial', 3],
    ['cancelled', 4],
    ['timed_out', 124],
  ])('of which the outcome is %s ends with %i', async (status, code) => {
    troupe.live.end({ status });
    expect(await cli(shellWith(), 'run', 'flow.yaml')).toBe(code);
    expect(troupe.closed).toBe(1);
  });

  it('tells its id on standard error before anything has happened', async () => {
    const shell = shellWith();
    const ended = cli(shell, 'run', 'flow.yaml');
    await eventually('the id was told', () =>
      shell.stderr.includes('run-0000000000000001  sample  2 tasks'),
    );
    troupe.live.end({});
    expect(await ended).toBe(0);
  });

  it('writes the report as one JSON object, the progress elsewhere', async () => {
    troupe.live.push(event);
    troupe.live.end({ outputs: { x: 1 }, tasks: [taskReport('a')] });
    const shell = shellWith();
    await cli(shell, 'run', 'flow.yaml', '--json');
    expect(shell.json()).toEqual(troupe.live.current);
    expect(shell.stderr).toContain('start      a');
  });

  it('tells the time of starts from the first record on, start-up included, as the report does', async () => {
    troupe.live.push({ ...event, at: 1_000_000 });
    troupe.live.end({ started_at: new Date(999_600).toISOString() });
    const shell = shellWith();
    await cli(shell, 'run', 'flow.yaml');
    expect(shell.stderr).toContain('0.4s  start      a');
  });

  it('writes earlier records, then each new event once, then the report, as lines of JSON', async () => {
    const { run: _run, ...record } = event;
    troupe.journal = [{ type: 'lease.taken', epoch: 1, node: 'n', seq: 1, at: 1 }, record];
    troupe.live.push(event);
    troupe.live.push({ ...event, task: 'b', seq: 3 });
    troupe.live.end({});
    const shell = shellWith();
    await cli(shell, 'run', 'flow.yaml', '--jsonl');
    const lines = shell.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string; seq?: number; run?: string });
    expect(lines.map(({ seq, type }) => [type, seq])).toEqual([
      ['lease.taken', 1],
      ['task.started', 2],
      ['task.started', 3],
      ['run.report', undefined],
    ]);
    expect(lines.slice(0, -1).every(({ run }) => run === 'run-0000000000000001')).toBe(true);
  });

  it('hands on input, seed, source and what the engine is made with', async () => {
    troupe.live.end({});
    await cli(
      shellWith(),
      'run',
      'flow.yaml',
      '-i',
      'n=1',
      '--input',
      '{"m": [2]}',
      '--seed',
      '7',
      '--concurrency',
      '3',
      '--level',
      'process',
      '--data',
      'd',
    );
    expect(troupe.asked[0]).toEqual([
      'run',
      expect.objectContaining({ name: 'sample' }),
      { n: 1, m: [2] },
      { seed: 7, source: 'flow.yaml' },
    ]);
    expect(opened).toMatchObject([
      { dataDir: join(folder, 'd'), level: 'process', concurrency: 3 },
    ]);
  });

  it('tells where it can be watched on a server, once, without the login', async () => {
    troupe.live.end({});
    const bus = 'nats://a:planted@127.0.0.1:1';
    const shell = shellWith();
    await cli(shell, 'run', 'flow.yaml', '--bus', bus);
    const line = `nats sub -s nats://127.0.0.1:1 'troupe.v1.default.mem.${troupe.live.id}.>'`;
    expect(shell.stderr.split(line)).toHaveLength(2);
    expect(shell.stderr).not.toContain('planted');
    for (const option of ['--quiet', '--json', '--jsonl']) {
      const silent = shellWith();
      await cli(silent, 'run', 'flow.yaml', '--bus', bus, option);
      expect(silent.stderr).not.toContain('nats sub');
    }
  });

  it('shows warnings that tell the next step once, on standard error, and no others', async () => {
    troupe.live.end({});
    const shell = shellWith();
    await cli(shell, 'run', 'flow.yaml', '--json');
    const before = shell.stdout;
    const logger = opened[0]?.logger;
    logger?.warn('of no use here', {});
    for (let time = 0; time < 2; time++) logger?.warn('the bus is away', { next: 'look' });
    expect(shell.stderr.match(/warning {2}the bus is away\n {2}next: look\n/g)).toHaveLength(1);
    expect(shell.stderr).not.toContain('of no use');
    expect(shell.stdout).toBe(before);
  });

  it('sets the deadline of the command line over the document', async () => {
    troupe.live.end({});
    await cli(shellWith(), 'run', 'flow.yaml', '--deadline', '90s');
    expect(troupe.asked[0]?.[1]).toMatchObject({ deadlineMs: 90_000 });
  });

  it('keeps its data where TROUPE_DATA says, and nowhere when it is simulated', async () => {
    troupe.live.end({});
    await cli(shellWith({ env: { TROUPE_DATA: 'there' } }), 'run', 'flow.yaml');
    await cli(shellWith(), 'run', 'flow.yaml', '--simulate');
    expect(opened).toMatchObject([
      { dataDir: join(folder, 'there') },
      { bus: 'embedded', level: 'memory' },
    ]);
    expect(opened[1]).not.toHaveProperty('dataDir');
  });

  it('starts nothing when the document or the input is invalid', async () => {
    expect(await cli(shellWith(), 'run', 'bad.yaml')).toBe(2);
    expect(await cli(shellWith(), 'run', 'flow.yaml', '--input', 'n')).toBe(2);
    expect([opened, troupe.asked]).toEqual([[], []]);
  });

  it('draws on a terminal and leaves the last drawing there', async () => {
    troupe.live.push(event);
    troupe.live.end({});
    const shell = shellWith({ terminal: { columns: 40, rows: 10 } });
    await cli(shell, 'run', 'flow.yaml');
    expect(shell.stderr).toContain('\u001b[?2026h');
    expect(shell.stderr).toContain('1 running');
    expect(shell.stdout).not.toContain('\u001b');
  });

  it('is quiet but for its id with --quiet', async () => {
    troupe.live.push(event);
    troupe.live.end({});
    const shell = shellWith();
    await cli(shell, 'run', 'flow.yaml', '--quiet');
    expect(shell.stderr).toBe('run-0000000000000001  sample  2 tasks\n');
  });

  it('keeps what agents print above the drawing', async () => {
    troupe.live.push(event);
    const shell = shellWith({ terminal: { columns: 60, rows: 10 } });
    const ended = cli(shell, 'run', 'flow.yaml');
    await eventually('the run is drawn', () => {
      shell.clock.step();
      return shell.stderr.includes('1 running');
    });
    shell.screen.stray('one\n');
    shell.screen.stray('two\n');
    troupe.live.end({});
    await ended;
    const shown = playBack(shell.stderr);
    expect(shown.slice(1, 3)).toEqual(['one', 'two']);
    expect(shown.filter((line) => line.includes('1 running'))).toHaveLength(1);
  });

  it('reports a journal that is lost, and closes', async () => {
    troupe.live.breakOff(new Error('disk gone'));
    const shell = shellWith();
    expect(await cli(shell, 'run', 'flow.yaml')).toBe(1);
    expect(shell.stderr).toContain('error TRP_INTERNAL: disk gone');
    expect(troupe.closed).toBe(1);
  });
});

describe('a signal during a run', () => {
  async function following(
    ...flags: readonly string[]
  ): Promise<{ shell: FakeShell; ended: Promise<number> }> {
    const shell = shellWith();
    const ended = cli(shell, 'run', 'flow.yaml', ...flags);
    await eventually('signals are listened to', () => shell.listening() === 3);
    return { shell, ended };
  }

  it('cancels it gently at the first SIGINT, says so, and ends with 130', async () => {
    const { ended, shell } = await following();
    shell.raise('SIGINT');
    expect([troupe.live.cancelledBy, shell.exits]).toEqual([['SIGINT'], []]);
    expect(shell.stderr).toContain('Press Ctrl-C again');
    troupe.live.end({ status: 'cancelled' });
    expect(await ended).toBe(130);
    expect(shell.stdout).toContain('cancelled');
  });

  it('ends the process at once at the second SIGINT, and tells how to go on', async () => {
    const { ended, shell } = await following();
    shell.raise('SIGINT');
    shell.raise('SIGINT');
    expect(shell.exits).toEqual([130]);
    expect(shell.stderr).toContain('troupe resume run-0000000000000001');
    troupe.live.end({ status: 'cancelled' });
    await ended;
  });

  it('leaves nothing of the block on the terminal after the second SIGINT', async () => {
    const shell = shellWith({ terminal: { columns: 40, rows: 10 } });
    const ended = cli(shell, 'run', 'flow.yaml');
    await eventually('signals are listened to', () => shell.listening() === 3);
    shell.raise('SIGINT');
    shell.raise('SIGINT');
    shell.screen.stray('a last word\n');
    expect(playBack(shell.stderr)).toEqual([
      'run-0000000000000001  sample  2 tasks',
      'Cancelling the run gently. Press Ctrl-C',
      '  again to leave at once; it can be',
      '  resumed then.',
      'Left. To go on: troupe resume run-0000000000000001',
      'a last word',
    ]);
    troupe.live.end({ status: 'cancelled' });
    await ended;
  });

  it('leaves a run that is told as interrupted', async () => {
    const { ended, shell } = await following();
    shell.raise('SIGTERM');
    expect(await ended).toBe(143);
    expect(shell.stdout).toMatch(/^interrupted {2}sample/);
  });

  it.each(['SIGTERM', 'SIGHUP'] as const)(
    'closes gently at %s with the run as it stands',
    async (signal) => {
      const { ended, shell } = await following('--json');
      shell.raise(signal);
      expect(await ended).toBe(143);
      expect(shell.json()).toMatchObject({ status: 'running' });
      expect(troupe.live.cancelledBy).toEqual([]);
    },
  );

  it('is listened to no longer when the run has ended', async () => {
    const { ended, shell } = await following();
    troupe.live.end({});
    await ended;
    expect(shell.listening()).toBe(0);
  });
});
