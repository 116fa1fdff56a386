import { describe, expect, it } from 'vitest';
import { filePattern } from '../../src/workflow/file-patterns.ts';
import { faultsOf, taskOf, validated, workflowOf } from './checked.ts';

async function warningsOf(text: string): Promise<readonly string[]> {
  const { warnings, faults } = await validated(text);
  expect(faults).toEqual([]);
  return warnings.map(({ path, message }) => `${path} ${message}`);
}

const head = 'defaults: { agent: w }\nagents: { w: { uses: simulate } }\n';

describe('what a task says to the planner', () => {
  it('is a start time from the run or by the clock, a weight, and files', async () => {
    const workflow = await workflowOf(`${head}tasks:
  a: { not_before: 10m, complexity: high }
  b: { not_before: "2026-07-01T09:00:00Z", complexity: 2.5 }
  c: { files: { reads: [in.md], writes: [out/] } }
  d: {}`);
    expect(taskOf(workflow, 'a')).toMatchObject({ notBefore: { afterMs: 600_000 }, complexity: 3 });
    expect(taskOf(workflow, 'b')).toMatchObject({
      notBefore: { atMs: Date.parse('2026-07-01T09:00:00Z') },
      complexity: 2.5,
    });
    expect(taskOf(workflow, 'c').files).toEqual({ reads: ['in.md'], writes: ['out/'] });
    const { notBefore, complexity, files } = taskOf(workflow, 'd');
    expect([notBefore, complexity, files]).toEqual([undefined, undefined, undefined]);
  });

  it.each([
    ['{ not_before: soon }', 'TRP_WORKFLOW_INVALID 4:20 tasks.a.not_before'],
    ['{ not_before: "2026-07-01" }', 'TRP_WORKFLOW_INVALID 4:20 tasks.a.not_before'],
    ['{ complexity: 0 }', 'TRP_WORKFLOW_INVALID 4:20 tasks.a.complexity'],
    ['{ complexity: huge }', 'TRP_WORKFLOW_INVALID 4:20 tasks.a.complexity'],
    ['{ files: [a.md] }', 'TRP_WORKFLOW_INVALID 4:15 tasks.a.files'],
  ])('is refused where it makes no sense: %s', async (task, fault) => {
    expect(await faultsOf(`${head}tasks:\n  a: ${task}`)).toEqual([fault]);
  });

  it.each([
    ['the deadline of the run', 'deadline: 10m\n', '{ not_before: 10m }', 1],
    ['its own deadline', '', '{ not_before: 10m, deadline: 5m }', 1],
    ['neither, when it is early enough', 'deadline: 11m\n', '{ not_before: 10m }', 0],
  ])('cannot put the start behind %s', async (_, deadline, task, count) => {
    const faults = await faultsOf(`${deadline}${head}tasks:\n  a: ${task}`);
    expect(faults.filter((fault) => fault.startsWith('TRP_WORKFLOW_UNSATISFIABLE'))).toHaveLength(
      count,
    );
  });
});

describe('files that two tasks touch', () => {
  it('are named before the run', async () => {
    expect(
      await warningsOf(`${head}tasks:
  a: { files: { writes: [docs/guide.md] } }
  b: { files: { writes: [./docs/] } }
  c: { files: { reads: [docs/guide.md] } }`),
    ).toEqual([
      'tasks.b.files.writes[0] "a" and "b" may run at the same time and both write "docs/guide.md" and "./docs/"',
      'tasks.c.files.reads[0] "a" and "c" may run at the same time and write and read "docs/guide.md"',
      'tasks.c.files.reads[0] "b" and "c" may run at the same time and write and read "./docs/" and "docs/guide.md"',
    ]);
  });

  it("are nobody else's business when an order or a lock keeps the two apart", async () => {
    expect(
      await warningsOf(`${head}tasks:
  a: { files: { writes: [x] } }
  b: { files: { writes: [x] }, needs: [a] }
  c: { files: { writes: [y] }, exclusive: [y] }
  d: { files: { writes: [y] }, exclusive: [y] }
  e: { files: { reads: [z] } }
  f: { files: { reads: [z] } }`),
    ).toEqual([]);
  });
});

describe('filePattern', () => {
  it.each([
    ['a/b', 'a.b'],
    ['./a//b', 'a.b'],
    ['a/x/../b', 'a.b'],
    ['a\\b', 'a.b'],
    ['a/', 'a.>'],
    ['a/**', 'a.>'],
    ['a/*', 'a.>'],
    ['a/*/c', 'a.*.c'],
    ['/a', '/.a'],
    ['.', '>'],
    ['../a', '\u2024\u2024.a'],
    ['a.md', 'a\u2024md'],
  ])('of %s is %s', (path, pattern) => {
    expect(filePattern(path)).toBe(pattern);
  });
});
