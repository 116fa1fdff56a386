import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTroupe } from '../../src/runtime/troupe.ts';
import type { Plain } from '../../src/core/plain.ts';

/** Each fails once, and leaves the last of what it has said; `large` leaves more than is kept. */
const agents = `
export function tries({ attempt, partial, previous }) {
  if (attempt > 1) return previous;
  partial({ pages: 1 });
  partial({ pages: 2, bytes: 'x' });
  throw new Error('half done');
}
export function silent({ attempt, previous }) {
  if (attempt > 1) return { previous };
  throw new Error('nothing done');
}
export function large({ attempt, partial, previous }) {
  if (attempt > 1) return previous;
  partial({ pages: 1 });
  partial('x'.repeat(70000));
  throw new Error('too much done');
}
export function first({ previous }) { return { has: previous === undefined }; }
export function dies({ attempt, partial, previous }) {
  if (attempt > 1) return previous;
  partial({ pages: 3 });
  setTimeout(() => process.exit(7), 50);
  return new Promise(() => undefined);
}
`;

const program = `
import { readFileSync } from 'node:fs';
const { attempt, previous } = JSON.parse(readFileSync(0, 'utf8'));
const say = (event) => console.log(JSON.stringify(event));
if (attempt > 1) say({ type: 'result', output: { previous } });
else {
  say({ type: 'partial', value: { pages: 1 } });
  say({ type: 'progress', fraction: 0.5, partial: { pages: 2 } });
  process.exitCode = 3;
}
`;

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'troupe-partial-'));
  await writeFile(join(folder, 'agents.mjs'), agents);
  await writeFile(join(folder, 'program.mjs'), program);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** The only task's output, after one retry. */
async function outputOf(task: object): Promise<Plain> {
  const troupe = await createTroupe({ dataDir: join(folder, 'data'), control: false });
  try {
    const flow = join(folder, 'flow.json');
    const tasks = { t: { ...task, retry: { max_attempts: 2, initial: 1 } } };
    const outputs = { t: '${tasks.t.output}' };
    await writeFile(flow, JSON.stringify({ version: 1, name: 'partial', tasks, outputs }));
    const report = await (await troupe.run(flow)).outcome();
    expect(report.status).toBe('succeeded');
    return (report.outputs as { readonly t?: Plain }).t ?? null;
  } finally {
    await troupe.close();
  }
}

describe.each(['inline', 'thread', 'process'])('an attempt that fails, %s', (isolate) => {
  const run = (name: string): Promise<Plain> =>
    outputOf({ uses: 'function', module: `./agents.mjs#${name}`, isolate });

  it('leaves the last partial result, its error and whose it was to the next one', async () => {
    expect(await run('tries')).toMatchObject({
      agent: 't',
      model: null,
      error: { message: expect.stringContaining('half done') },
      partial: { pages: 2, bytes: 'x' },
    });
  });

  it('leaves its error where it has said nothing of what is done', async () => {
    const { previous } = (await run('silent')) as { previous: { error: object; partial: Plain } };
    expect(previous.error).toMatchObject({ message: expect.stringContaining('nothing done') });
    expect(previous.partial).toBeNull();
  });

  it('leaves nothing of what is too large', async () => {
    expect(await run('large')).toMatchObject({ partial: null });
  });

  it('is not told of any before it when it is the first', async () => {
    expect(await run('first')).toEqual({ has: true });
  });
});

describe('an attempt whose process ends under it', () => {
  it.each(['thread', 'process'])('leaves what it had said, %s', async (isolate) => {
    const output = await outputOf({ uses: 'function', module: './agents.mjs#dies', isolate });
    expect(output).toMatchObject({ error: { errorClass: 'lost' }, partial: { pages: 3 } });
  });
});

describe('a command that fails', () => {
  it('leaves its partial lines and its error to the next one, which reads them in its line', async () => {
    const command = [process.execPath, 'program.mjs'];
    expect(await outputOf({ uses: 'command', command })).toMatchObject({
      previous: {
        agent: 't',
        error: { message: expect.stringContaining('3') },
        partial: { pages: 2 },
      },
    });
  });
});
