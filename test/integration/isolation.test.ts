import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunReport } from '../../src/runtime/report.ts';
import { WorkFolder } from './support/folder.ts';
import { isRunning } from './support/program.ts';

const agents = `
import { writeFileSync } from 'node:fs';
import { threadId } from 'node:worker_threads';
const tell = (task) => writeFileSync('pid-' + task.replaceAll(/\\W/g, '_'), String(process.pid));
export function healthy({ task, input }) { tell(task); return { number: input.number, threadId }; }
export function endless({ task }) { tell(task); for (;;); }
export function hungry({ task }) {
  tell(task);
  const kept = [];
  for (;;) kept.push(new Array(10_000).fill(kept.length));
}
`;

let folder: WorkFolder;

beforeEach(() => {
  folder = new WorkFolder(agents);
});

afterEach(() => folder.remove());

type Isolation = 'inline' | 'thread' | 'process';

const healthyIds = Array.from({ length: 10 }, (_, index) => `healthy${index}`);

/** Ten healthy tasks, some of them isolated as the bad ones are, beside an endless and a hungry one. */
function document(isolate: Isolation, groups: object): object {
  const limits = { max_memory: '48MB', kill_after: 100 };
  const isolated = (name: string): object => ({
    uses: 'function',
    module: `./agents.mjs#${name}`,
    isolate,
    limits,
  });
  const healthy = healthyIds.map((id, index) => [
    id,
    { agent: index < 7 ? 'inline' : 'isolated', with: { number: index } },
  ]);
  const bad = { retry: { max_attempts: 1 } };
  return {
    agents: {
      inline: { uses: 'function', module: './agents.mjs#healthy' },
      isolated: isolated('healthy'),
      endless: isolated('endless'),
      hungry: isolated('hungry'),
    },
    tasks: {
      endless: { agent: 'endless', timeout: 3000, ...bad },
      hungry: { agent: 'hungry', timeout: '60s', ...bad },
      ...Object.fromEntries(healthy),
    },
    groups,
  };
}

const tolerant = {
  all: { tasks: ['endless', 'hungry', ...healthyIds], barrier: { type: 'smart', min_success: 10 } },
};

const census = { succeeded: 10, failed: 1, timed_out: 1, cancelled: 0, skipped: 0, late: 0 };

async function run(): Promise<{ readonly code: number | null; readonly report: RunReport }> {
  const { code, lines } = await folder.call('run', 'flow.json', '--jsonl', '-q');
  return { code, report: lines.at(-1) as unknown as RunReport };
}

/** The healthy tasks and how the bad ones ended. */
function expectHarmless({ tasks }: RunReport): void {
  const outcomes = Object.fromEntries(tasks.map(({ id, outcome }) => [id, outcome]));
  const succeeded = Object.fromEntries(healthyIds.map((id) => [id, 'succeeded']));
  expect(outcomes).toEqual({ ...succeeded, endless: 'timed_out', hungry: 'failed' });
  const bad = tasks.filter(({ outcome }) => outcome !== 'succeeded');
  expect(bad).toMatchObject([
    {
      id: 'endless',
      reason: 'attempt_timeout',
      attempts: 1,
      error: { code: 'TRP_ATTEMPT_TIMEOUT' },
    },
    {
      id: 'hungry',
      reason: 'attempts_exhausted',
      attempts: 1,
      error: { code: 'TRP_ATTEMPT_LOST', message: expect.stringContaining('ran out of memory') },
    },
  ]);
}

function expectNothingLeft(processes: number): void {
  const pids = folder.pids();
  expect(pids).toHaveLength(12);
  expect(new Set(pids).size).toBe(processes);
  expect(pids.filter(isRunning)).toEqual([]);
}

describe.each([
  ['thread', 1],
  ['process', 6],
] as const)('an endless loop and an out-of-memory, isolated by %s', (isolate, processes) => {
  it('leave a gap in a run that tolerates it, and harm none of ten healthy tasks', async () => {
    folder.document(document(isolate, tolerant));
    const { code, report } = await run();
    expect([code, report.status, report.reason]).toEqual([3, 'partial', 'gaps_tolerated']);
    expect(report.census).toEqual(census);
    expect(report.groups).toMatchObject([{ id: 'all', outcome: 'partial', census }]);
    expectHarmless(report);
    expectNothingLeft(processes);
  });

  it('fail a run that does not tolerate it, and harm none of ten healthy tasks', async () => {
    folder.document(document(isolate, {}));
    const { code, report } = await run();
    expect([code, report.status, report.reason]).toEqual([1, 'failed', 'tasks_failed']);
    expect(report.census).toEqual(census);
    expectHarmless(report);
    expect(report.outputs).toMatchObject({ endless: null, hungry: null, healthy9: { number: 9 } });
    expectNothingLeft(processes);
  });
});
