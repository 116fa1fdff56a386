import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { validateDocument } from '../../src/workflow/validate.ts';
import type { Validation } from '../../src/workflow/validate.ts';
import { faultsOf, validated } from './checked.ts';

function warningsOf({ faults, warnings }: Validation): readonly string[] {
  expect(faults).toEqual([]);
  return warnings.map(({ line, path, message, hint }) => `${line} ${path} ${message} (${hint})`);
}

describe('a bare small number', () => {
  it('is told of wherever a time was probably meant in seconds', async () => {
    const text = `
deadline: 90
defaults: { timeout: 20, estimate: 5 }
tasks:
  a: { uses: simulate, timeout: 20, deadline: 999, estimate: 0.5, aspects: [x], barrier: { timeout: 7 } }
  b: { uses: simulate }
  c: { uses: simulate }
groups:
  g: { tasks: [a], barrier: { timeout: 20 }, cross_validation: { agents: [b], timeout: 3 } }
tiers:
  - { mode: parallel, workers: [c], barrier: { timeout: 20 } }`;
    const told = warningsOf(await validated(text));
    expect(told[0]).toBe('2 deadline deadline: 90 means 90 ms (Write 90s for seconds, or 90ms.)');
    expect(told.map((line) => line.split(' ')[1])).toEqual([
      'deadline',
      'defaults.timeout',
      'defaults.estimate',
      'tasks.a.timeout',
      'tasks.a.deadline',
      'tasks.a.estimate',
      'tasks.a.barrier.timeout',
      'groups.g.barrier.timeout',
      'groups.g.cross_validation.timeout',
      'tiers[0].barrier.timeout',
    ]);
  });

  it.each([
    'timeout: 1000',
    'timeout: 20ms',
    'estimate: 0',
    'with: { duration: 20, timeout: 5 }',
    'retry: { initial: 200 }',
  ])('is none here: %s', async (entry) => {
    expect(warningsOf(await validated(`tasks: { a: { uses: simulate, ${entry} } }`))).toEqual([]);
  });
});

describe('a command in one text', () => {
  it.each(['ls | wc', 'ls > out.txt', 'make && make test', 'cd x; ls'])(
    'that wants a shell is told of: %s',
    async (command) => {
      const [told] = warningsOf(await validated(`tasks:\n  a: { command: ${command} }`));
      expect(told).toMatch(
        /^2 tasks\.a\.command .*\(no shell runs this; use \[sh, -c, "\.\.\."\]\)/,
      );
    },
  );

  it.each(['\'sh -c "ls | wc > x && y; z"\'', '[sh, -c, "ls | wc"]', 'ls -l'])(
    'that wants none is not: %s',
    async (command) => {
      expect(warningsOf(await validated(`tasks:\n  a: { command: ${command} }`))).toEqual([]);
    },
  );

  it.each([`'echo "hello'`, `"echo don't"`, `'a "b" "c'`])(
    'with an open quote is a fault: %s',
    async (command) => {
      expect(await faultsOf(`agents:\n  w: { command: ${command} }\ntasks: { w: }`)).toEqual([
        'TRP_WORKFLOW_INVALID 2:17 agents.w.command',
      ]);
    },
  );
});

describe('a file that a document names', () => {
  const folders: string[] = [];

  afterEach(() => {
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
  });

  const text = `
agents:
  a: { module: ./here.mjs#x }
  b: { module: ./gone.mjs#x }
  c: { command: ./gone.sh }
  d: { command: node gone.mjs }
  e: { command: [node, here.mjs] }
  f: { command: [sh, -c, "cat gone.txt"] }
  g: { command: [cat, gone.txt] }
  h: { module: package-or-so }
  i: { module: "host:gone" }
  j: { command: [node, --test, gone.mjs] }
tasks:
  a: { aspects: [x], aggregate: { function: ../gone.mjs } }
  k: { module: ./gone.mjs }
groups:
  l: { tasks: [a], aggregate: { function: ./gone.mjs#y } }
tiers:
  - { mode: parallel, workers: [k], aggregate: { function: ./gone.mjs } }
`;

  it('and that is not there is told of', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'troupe-files-'));
    folders.push(folder);
    const path = join(folder, 'flow.yaml');
    writeFileSync(path, text);
    writeFileSync(join(folder, 'here.mjs'), '');
    const told = warningsOf(await validateDocument({ path }));
    expect(told[0]).toContain('4 agents.b.module there is no file ./gone.mjs (Paths start at');
    expect(told.map((line) => line.split(' (')[0])).toEqual([
      '4 agents.b.module there is no file ./gone.mjs',
      '5 agents.c.command there is no file ./gone.sh',
      '6 agents.d.command there is no file gone.mjs',
      '14 tasks.a.aggregate.function there is no file ../gone.mjs',
      '15 tasks.k.module there is no file ./gone.mjs',
      '17 groups.l.aggregate.function there is no file ./gone.mjs',
      '19 tiers[0].aggregate.function there is no file ./gone.mjs',
    ]);
  });

  it('is not looked for when the document is not in one', async () => {
    expect(warningsOf(await validated(text))).toEqual([]);
  });
});

describe('a ladder of the document', () => {
  const text = (escalation: string): string => `
escalation: [{ rung: person, deadline: 1h }]
tasks:
  a: { uses: simulate${escalation} }`;

  it('is told of when no task comes to it', async () => {
    const [told] = warningsOf(await validated(text('')));
    expect(told).toContain('2 escalation no task reaches the ladder of the document');
  });

  it('is in place when a task hands its failure up', async () => {
    expect(warningsOf(await validated(text(', escalation: [retry, supervisor]')))).toEqual([]);
  });
});
