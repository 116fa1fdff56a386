import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { operationId } from '../../../src/core/ids.ts';
import type { JournalRecord } from '../../../src/journal/record.ts';
import { endPrograms, Program } from './program.ts';
import type { JsonlEvent, ProgramEnd } from './program.ts';

/** What an agent told the outside: that it did the work of an operation, in which process. */
export interface ServedEffect {
  readonly operation: string;
  readonly run: string;
  readonly task: string;
  readonly pid: number;
}

/** Agents that tell the outside what they do, take their time, and may wait for the file `go`. */
const agents = `
import { appendFileSync, existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
const observer = new URL('./effects.jsonl', import.meta.url);
export async function work({ input, memory, operation, run, signal, task }) {
  await delay(input?.ms ?? 20, undefined, { signal });
  appendFileSync(observer, JSON.stringify({ operation, run, task, pid: process.pid }) + '\\n');
  memory.set('done.' + task, task);
  return task;
}
export async function gate({ operation, run, signal, task }) {
  appendFileSync(observer, JSON.stringify({ operation, run, task, pid: process.pid }) + '\\n');
  while (!existsSync(new URL('./go', import.meta.url))) await delay(5, undefined, { signal });
  return task;
}
`;

const middle = ['b', 'c', 'd', 'e', 'f', 'g'];

/** Tasks of {@link ServedWorld.flow}: one, six side by side, two in a row. */
export const servedTasks: readonly string[] = ['a', ...middle, 'h', 'i'];

const work = { agent: 'worker', with: { ms: '${input.ms}' } };

const flow = {
  version: 1,
  name: 'served',
  inputs: { ms: { default: 20 } },
  agents: { worker: { uses: 'function', module: './agents.mjs#work', owns: ['done.*'] } },
  tasks: {
    a: work,
    ...Object.fromEntries(middle.map((id) => [id, { ...work, needs: ['a'] }])),
    h: { ...work, needs: middle },
    i: { ...work, needs: ['h'] },
  },
};

const far = { ...work, agent: 'far' };

/** The same tasks; half of those side by side are carried out by worker hosts, which may be lost. */
const mixed = {
  ...flow,
  name: 'mixed',
  pools: { gpu: { remote: true, lost_after: '2s' } },
  // Who is killed here was not killed by its task.
  defaults: { retry: { max_attempts: 20, initial: '1ms', quarantine_after: 100 } },
  agents: {
    ...flow.agents,
    far: { uses: 'function', module: 'host:work', pool: 'gpu', owns: ['done.*'] },
  },
  tasks: {
    ...flow.tasks,
    ...Object.fromEntries(middle.slice(0, 3).map((id) => [id, { ...far, needs: ['a'] }])),
  },
};

const gated = {
  version: 1,
  name: 'gated',
  agents: {
    first: { uses: 'function', module: './agents.mjs#work', owns: ['done.*'] },
    gate: { uses: 'function', module: './agents.mjs#gate' },
  },
  tasks: {
    before: { agent: 'first', with: { ms: 1 } },
    gate: { agent: 'gate', needs: ['before'] },
    after: { agent: 'first', needs: ['gate'], with: { ms: 1 } },
  },
};

/** A folder with two documents, their agents and what these told; processes that serve it. */
export class ServedWorld {
  readonly folder = mkdtempSync(join(tmpdir(), 'troupe-served-'));
  readonly flow = join(this.folder, 'flow.json');
  /** Needs {@link worker}s. */
  readonly mixed = join(this.folder, 'mixed.json');
  /** Waits in its second task until {@link open}. */
  readonly gated = join(this.folder, 'gated.json');

  constructor() {
    writeFileSync(join(this.folder, 'agents.mjs'), agents);
    writeFileSync(this.flow, JSON.stringify(flow));
    writeFileSync(this.mixed, JSON.stringify(mixed));
    writeFileSync(this.gated, JSON.stringify(gated));
  }

  /** A process that serves the bus; lives until it is killed. */
  serve(url: string, options: readonly string[] = ['--lease', '1500ms']): Program {
    return this.start(['serve', '--nats', url, ...options]);
  }

  /** A worker host; lives until it is killed. */
  worker(url: string): Program {
    const what = ['--pools', 'gpu', '--functions', 'agents.mjs', '--base-dir', this.folder];
    return this.start(['worker', '--nats', url, ...what, '--concurrency', '4']);
  }

  /** Runs a command to its end. */
  call(...args: readonly string[]): Promise<ProgramEnd> {
    return this.start(args).ended;
  }

  start(args: readonly string[]): Program {
    return Program.start(args, { cwd: this.folder });
  }

  open(): void {
    writeFileSync(join(this.folder, 'go'), '');
  }

  effects(): readonly ServedEffect[] {
    const path = join(this.folder, 'effects.jsonl');
    if (!existsSync(path)) return [];
    const lines = readFileSync(path, 'utf8').split('\n').filter(Boolean);
    return lines.map((line) => JSON.parse(line) as ServedEffect);
  }

  async remove(): Promise<void> {
    this.open();
    await endPrograms();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The one object on standard output. */
export function objectIn({ stdout }: ProgramEnd): JsonlEvent {
  return JSON.parse(stdout) as JsonlEvent;
}

/** What is wrong with an ended run of `flow`: laws that hold whoever died meanwhile. */
export function faultsOf(
  run: string,
  records: readonly JournalRecord[],
  effects: readonly ServedEffect[],
): readonly string[] {
  const faults: string[] = [];
  const last = records.at(-1);
  if (last?.type !== 'run.ended' || last.outcome !== 'succeeded')
    faults.push(`it did not succeed: ${JSON.stringify(records.slice(-8))}`);
  if (records.some(({ seq }, index) => seq !== index + 1)) faults.push('its records have gaps');
  const results = records.flatMap((one) => (one.type === 'task.succeeded' ? one.task : []));
  if (String(results.toSorted()) !== String(servedTasks))
    faults.push(`its results: ${results.join(', ')}`);
  const commits = records.flatMap((one) => (one.type === 'memory.committed' ? one.op : []));
  const operations = servedTasks.map((task) => operationId(run, task, 1));
  if (String(commits.toSorted()) !== String(operations.toSorted()))
    faults.push(`${commits.length} commits of ${operations.length}`);
  const told = new Set(effects.map(({ operation }) => operation));
  for (const [index, operation] of operations.entries())
    if (!told.has(operation)) faults.push(`nobody saw ${servedTasks[index]}`);
  return faults;
}

/** Epochs of a run and their nodes, in order. */
export function ownersOf(records: readonly JournalRecord[]): readonly string[] {
  return records.flatMap((one) => (one.type === 'lease.taken' ? one.node : []));
}
