import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTroupe } from '../../src/index.ts';
import type { PlainObject, RunReport, Troupe } from '../../src/index.ts';
import { Page } from './page.ts';

const page = new Page('docs/workflow.md');
const shown = page.fences.flatMap(({ file, text }) => (file === undefined ? [] : [{ file, text }]));

/** Python is not on every machine; the shell and Node are. */
const programs = [
  { file: 'count.sh', interpreter: 'sh' },
  { file: 'count.mjs', interpreter: 'node' },
  { file: 'count.py', interpreter: 'python3' },
].filter(
  ({ file, interpreter }) =>
    file !== 'count.py' || spawnSync(interpreter, ['--version']).status === 0,
);

let folder = '';
let troupe: Troupe;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'troupe-docs-'));
  for (const { file, text } of shown) await writeFile(join(folder, file), text);
  await writeFile(join(folder, 'notes.txt'), 'one\ntwo\nthree\n');
  troupe = await createTroupe();
});

afterAll(async () => {
  await troupe.close();
  await rm(folder, { recursive: true });
});

async function run(workflow: unknown, input: PlainObject = {}): Promise<RunReport> {
  return (await troupe.run(workflow, input)).outcome();
}

describe('the complete example', () => {
  it('runs with its defaults', async () => {
    const { status, outputs } = await run(join(folder, 'review.yaml'));
    expect({ status, outputs }).toEqual({
      status: 'succeeded',
      outputs: { report: ['a.md: 4', 'b.md: 4', 'c.md: 4'] },
    });
  });

  it('succeeds in a simulation', async () => {
    const handle = await troupe.run(join(folder, 'review.yaml'), {}, { simulate: true });
    const { status, simulated } = await handle.outcome();
    expect({ status, simulated }).toEqual({ status: 'succeeded', simulated: true });
  });

  it('takes the input that the page passes', async () => {
    const [, input = ''] = /run review\.yaml --input 'files=(.*)'/.exec(page.text) ?? [];
    const { outputs } = await run(join(folder, 'review.yaml'), {
      files: JSON.parse(input) as string[],
    });
    expect(outputs).toEqual({ report: ['x.md: 4', 'y.md: 4'] });
  });
});

describe('the example programs', () => {
  const document = page.file('count.yaml');

  async function count(program: (typeof programs)[number], file: string): Promise<RunReport> {
    const path = join(folder, `${program.interpreter}-${file}.yaml`);
    const text = document
      .replace('[sh, count.sh]', `[${program.interpreter}, ${program.file}]`)
      .replace('file: notes.txt', `file: ${file}`);
    await writeFile(path, text);
    return run(path);
  }

  it.each(programs)('count lines and write memory: $file', async (program) => {
    const { status, outputs } = await count(program, 'notes.txt');
    expect({ status, outputs }).toEqual({ status: 'succeeded', outputs: { lines: 3 } });
  });

  it.each(programs)('fail once for a file that is not there: $file', async (program) => {
    const { status, tasks } = await count(program, 'nothing.txt');
    expect(status).toBe('failed');
    expect(tasks).toMatchObject([{ outcome: 'failed', reason: 'not_retryable', attempts: 1 }]);
  });

  it('are shown under the names that the document uses', () => {
    for (const file of ['count.sh', 'count.py', 'count.mjs']) expect(document).toContain(file);
  });
});

describe('the example of a permanent error', () => {
  it('is tried once', async () => {
    const [fence] = page.inLanguage('js').filter(({ text }) => text.includes('errorClass'));
    await writeFile(join(folder, 'lookup.mjs'), fence?.text ?? '');
    const module = join(folder, 'lookup.mjs');
    const tasks = { who: { uses: 'function', module, export: 'lookup', with: { user: null } } };
    const report = await run({ tasks });
    expect(report.tasks).toMatchObject([{ reason: 'not_retryable', attempts: 1 }]);
    expect(
      (await run({ tasks: { who: { ...tasks.who, with: { user: 'ada' } } } })).outputs,
    ).toEqual({ who: { user: 'ada' } });
  });
});
