import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunReport } from '../../src/runtime/report.ts';
import { startTroupe, troupe } from './support/process.ts';

const agents = `
import { appendFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
export async function quick({ task }) { appendFileSync('done.txt', task + '\\n'); return task; }
export async function noisy() {
  console.log('a line on standard output');
  process.stdout.write('another');
  return 'said';
}
export async function failing() { throw new Error('no luck'); }
export async function slow({ signal, progress }) {
  progress('waiting');
  await delay(60_000, undefined, { signal });
}
export async function stubbornOnce() {
  const { existsSync } = await import('node:fs');
  if (!existsSync('go')) await delay(60_000);
  return 'at last';
}
export async function slowOnce({ signal }) {
  const { existsSync } = await import('node:fs');
  if (!existsSync('go')) await delay(60_000, undefined, { signal });
  return 'at last';
}
`;

/** A document of tasks, each done by the function named; a list says what it needs. */
function flow(
  tasks: { readonly [id: string]: readonly [exported: string, ...needs: string[]] },
  more: object = {},
): object {
  const entries = Object.entries(tasks).map(([id, [exported, ...needs]]) => [
    id,
    {
      uses: 'function',
      module: './agents.mjs',
      export: exported,
      needs,
      retry: { max_attempts: 1 },
      limits: { kill_after: '30s' },
    },
  ]);
  return { version: 1, name: 'sample', tasks: Object.fromEntries(entries), ...more };
}

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'troupe-e2e-'));
  writeFileSync(join(folder, 'agents.mjs'), agents);
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(document: object): void {
  writeFileSync(join(folder, 'flow.json'), JSON.stringify(document));
}

function reportIn(text: string): RunReport {
  return JSON.parse(text) as RunReport;
}

function doneTasks(): readonly string[] {
  return readFileSync(join(folder, 'done.txt'), 'utf8').trim().split('\n');
}

describe('the built command line', () => {
  it('loads neither zod, yaml, xstate nor the runtime for its help', async () => {
    const coverage = join(folder, 'coverage');
    const { code } = await startTroupe(folder, ['--help'], { NODE_V8_COVERAGE: coverage }).ended;
    const [file = ''] = readdirSync(coverage);
    const { result } = JSON.parse(readFileSync(join(coverage, file), 'utf8')) as {
      result: { url: string }[];
    };
    const loaded = result.map(({ url }) => url).filter((url) => !url.startsWith('node:'));
    expect(code).toBe(0);
    expect(loaded.some((url) => url.endsWith('/dist/cli/program.js'))).toBe(true);
    expect(
      loaded.filter((url) =>
        /node_modules\/(zod|yaml|xstate|msgpackr)|dist\/(runtime|supervisors|actors|workflow|planning)\//.test(
          url,
        ),
      ),
    ).toEqual([]);
  });

  it('takes a new user from init to a result', async () => {
    expect(await troupe(folder, 'init', 'demo')).toMatchObject({ code: 0 });
    const { code, stdout } = await troupe(
      folder,
      'run',
      'demo/workflow.yaml',
      '--input',
      'topic=sundials',
      '--json',
    );
    const report = reportIn(stdout);
    expect(code).toBe(0);
    expect(report).toMatchObject({ format: 1, status: 'succeeded', census: { succeeded: 4 } });
    expect(report.outputs).toMatchObject({
      report: { title: 'A short report on sundials', findings: [{ angle: 'history' }, {}, {}] },
    });
    const shown = await troupe(folder, 'show', report.run_id.slice(0, -2), '--json');
    expect(reportIn(shown.stdout)).toEqual(report);
    const listed = await troupe(folder, 'runs', '--json');
    expect(JSON.parse(listed.stdout)).toMatchObject({
      runs: [{ run_id: report.run_id, status: 'succeeded', owner: null }],
    });
  });

  it('keeps standard output pure when agents print', async () => {
    write(flow({ a: ['noisy'] }));
    const json = await troupe(folder, 'run', 'flow.json', '--json');
    expect(reportIn(json.stdout)).toMatchObject({ status: 'succeeded' });
    expect(json.stderr).toContain('a line on standard output');
    const { stdout } = await troupe(folder, 'run', 'flow.json', '--jsonl');
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string });
    expect([lines[0]?.type, lines.at(-2)?.type, lines.at(-1)?.type]).toEqual([
      'run.started',
      'run.ended',
      'run.report',
    ]);
  });

  it('simulates without writing anything, the same for the same seed', async () => {
    write(flow({ a: ['slow'], b: ['slow', 'a'] }));
    const first = await troupe(folder, 'run', 'flow.json', '--simulate', '--seed', '5', '--json');
    const second = await troupe(folder, 'run', 'flow.json', '--simulate', '--seed', '5', '--json');
    expect(first.code).toBe(0);
    expect(second.stdout).toBe(first.stdout);
    expect(existsSync(join(folder, '.troupe'))).toBe(false);
  });

  it('ends with 1 for a failed run, and resume runs only what had not succeeded', async () => {
    write(flow({ a: ['quick'], b: ['failing', 'a'], c: ['quick', 'b'] }));
    const { code, stdout } = await troupe(folder, 'run', 'flow.json', '--json');
    const { census, run_id, tasks } = reportIn(stdout);
    expect(code).toBe(1);
    expect(census).toMatchObject({ succeeded: 1, failed: 1, skipped: 1 });
    expect(tasks.find(({ id }) => id === 'b')?.error).toMatchObject({
      code: 'TRP_ATTEMPT_FAILED',
      message: 'no luck',
    });
    writeFileSync(
      join(folder, 'agents.mjs'),
      agents.replace("throw new Error('no luck')", "return 'better'"),
    );
    const resumed = await troupe(folder, 'resume', run_id, '--json');
    expect([resumed.code, reportIn(resumed.stdout).status]).toEqual([0, 'succeeded']);
    expect(doneTasks()).toEqual(['a', 'c']);
  });

  it('ends with 124 when the deadline of the command line passes', async () => {
    write(flow({ a: ['slow'] }));
    const { code, stdout } = await troupe(
      folder,
      'run',
      'flow.json',
      '--deadline',
      '200ms',
      '--json',
    );
    expect([code, reportIn(stdout).status]).toEqual([124, 'timed_out']);
  });

  it('is not troubled by a reader that leaves', async () => {
    write(flow({ a: ['quick'], b: ['quick', 'a'] }));
    const run = startTroupe(folder, ['run', 'flow.json', '--jsonl']);
    run.child.stdout?.destroy();
    const { code, stderr } = await run.ended;
    expect(code).toBe(0);
    expect(stderr).not.toContain('EPIPE');
    expect(doneTasks()).toEqual(['a', 'b']);
  });

  it('ends although an agent left a timer behind', async () => {
    writeFileSync(
      join(folder, 'agents.mjs'),
      'export function leaky() { setInterval(() => undefined, 1000); return 1; }',
    );
    write(flow({ a: ['leaky'] }));
    expect(await troupe(folder, 'run', 'flow.json', '-q')).toMatchObject({ code: 0 });
  });

  it('writes all of a report that is larger than a pipe holds', async () => {
    writeFileSync(join(folder, 'agents.mjs'), "export const big = () => 'x'.repeat(2_000_000);");
    write(flow({ a: ['big'] }));
    const child = spawn(
      process.execPath,
      [resolve('dist', 'cli', 'main.js'), 'run', 'flow.json', '--json', '-q'],
      { cwd: folder },
    );
    let stdout = '';
    await once(child.stdout, 'readable');
    for await (const chunk of child.stdout) stdout += String(chunk);
    expect(JSON.stringify(reportIn(stdout).outputs).length).toBeGreaterThan(2_000_000);
  });
});

describe('a signal to the process of a run', () => {
  it('SIGINT cancels the run, which ends with 130 and is cancelled for others too', async () => {
    write(flow({ a: ['slow'] }));
    const run = startTroupe(folder, ['run', 'flow.json', '--json']);
    await run.until('start      a');
    run.child.kill('SIGINT');
    const { code, stdout } = await run.ended;
    const report = reportIn(stdout);
    expect([code, report.status]).toEqual([130, 'cancelled']);
    const shown = await troupe(folder, 'show', report.run_id, '--json');
    expect(reportIn(shown.stdout).status).toBe('cancelled');
  });

  it('a second SIGINT leaves at once, and resume goes on in spite of the cancelling that had begun', async () => {
    write(flow({ a: ['stubbornOnce'] }));
    const run = startTroupe(folder, ['run', 'flow.json']);
    await run.until('start      a');
    run.child.kill('SIGINT');
    await run.until('Press Ctrl-C again');
    run.child.kill('SIGINT');
    expect(await run.ended).toMatchObject({
      code: 130,
      stdout: '',
      stderr: expect.stringContaining('troupe resume run-'),
    });
    writeFileSync(join(folder, 'go'), '');
    const resumed = await troupe(folder, 'resume', 'run-', '--json');
    expect([resumed.code, reportIn(resumed.stdout).status]).toEqual([0, 'succeeded']);
  });

  it('SIGTERM leaves the run to be resumed, and nothing that succeeded runs again', async () => {
    write(flow({ a: ['quick'], b: ['slowOnce', 'a'] }));
    const run = startTroupe(folder, ['run', 'flow.json', '--json']);
    await run.until('start      b');
    run.child.kill('SIGTERM');
    const { code, stdout } = await run.ended;
    const { run_id, status } = reportIn(stdout);
    expect([code, status]).toEqual([143, 'running']);
    const listed = await troupe(folder, 'runs', '--json');
    expect(JSON.parse(listed.stdout)).toMatchObject({
      runs: [{ status: 'interrupted', owner: null }],
    });
    writeFileSync(join(folder, 'go'), '');
    const resumed = await troupe(folder, 'resume', run_id, '--json');
    expect([resumed.code, reportIn(resumed.stdout).status]).toEqual([0, 'succeeded']);
    expect(doneTasks()).toEqual(['a']);
  });

  it('SIGKILL leaves the run to be resumed as well', async () => {
    write(flow({ a: ['quick'], b: ['slowOnce', 'a'] }));
    const run = startTroupe(folder, ['run', 'flow.json']);
    await run.until('start      b');
    run.child.kill('SIGKILL');
    await run.ended;
    writeFileSync(join(folder, 'go'), '');
    const resumed = await troupe(folder, 'resume', 'run-', '--json');
    expect([resumed.code, reportIn(resumed.stdout).status]).toEqual([0, 'succeeded']);
    expect(doneTasks()).toEqual(['a']);
  });
});

describe('another process', () => {
  it('sees a run, may not resume it, and cancels it', async () => {
    write(flow({ a: ['slow'] }));
    const run = startTroupe(folder, ['run', 'flow.json', '--json']);
    await run.until('start      a');
    const listed = JSON.parse((await troupe(folder, 'runs', '--json')).stdout) as {
      runs: { run_id: string; status: string; owner: string | null }[];
    };
    const [{ owner, run_id, status } = { owner: null, run_id: '', status: '' }] = listed.runs;
    expect([status, owner]).toEqual(['running', expect.stringMatching(/^node-/)]);
    const shown = await troupe(folder, 'show', run_id, '--json');
    expect(reportIn(shown.stdout)).toMatchObject({
      status: 'running',
      tasks: [{ id: 'a', outcome: 'running' }],
    });
    const resumed = await troupe(folder, 'resume', run_id, '--json');
    expect([resumed.code, JSON.parse(resumed.stdout)]).toEqual([
      1,
      { format: 1, error: expect.objectContaining({ code: 'TRP_RUN_OWNED' }) },
    ]);
    const cancelled = await troupe(folder, 'cancel', run_id, '--json');
    expect([cancelled.code, JSON.parse(cancelled.stdout)]).toEqual([
      0,
      { format: 1, run_id, status: 'cancelled' },
    ]);
    const { code, stdout } = await run.ended;
    expect([code, reportIn(stdout).status]).toEqual([4, 'cancelled']);
  });

  it('cancels a run that nobody owns', async () => {
    write(flow({ a: ['slow'] }));
    const run = startTroupe(folder, ['run', 'flow.json']);
    await run.until('start      a');
    run.child.kill('SIGKILL');
    await run.ended;
    expect(await troupe(folder, 'cancel', 'run-')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^cancelled {2}run-/),
    });
  });

  it('reaches the owner when the data folder has a very long path', async () => {
    const deep = join(folder, 'd'.repeat(60), 'e'.repeat(60));
    mkdirSync(deep, { recursive: true });
    write(flow({ a: ['slow'] }));
    const run = startTroupe(folder, ['run', 'flow.json', '--data', deep]);
    await run.until('start      a');
    expect(await troupe(folder, 'cancel', 'run-', '--data', deep)).toMatchObject({ code: 0 });
    expect(await run.ended).toMatchObject({ code: 4 });
  });
});
