import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { maxDocumentBytes } from '../../src/workflow/load.ts';
import { validateDocument } from '../../src/workflow/validate.ts';
import { faultsOf, validated } from './checked.ts';

const bomb = [
  'a: &a [x, x]',
  ...Array.from({ length: 40 }, (_, i) => `b${i}: &b${i} [*b${i - 1}, *b${i - 1}]`),
].join('\n');

/** Text, and the first fault with its place. */
const hostile: readonly (readonly [string, string, string])[] = [
  ['an alias bomb', bomb, 'TRP_WORKFLOW_HOSTILE 1:4'],
  ['an alias without an anchor', 'tasks: *x', 'TRP_WORKFLOW_HOSTILE 1:8'],
  [
    'a tag that would run code',
    'tasks: !!js/function "function () {}"',
    'TRP_WORKFLOW_HOSTILE 1:8',
  ],
  ['a known tag', 'name: !!binary AAAA', 'TRP_WORKFLOW_HOSTILE 1:7'],
  ['a directive that turns on old YAML', '%YAML 1.1\n---\ntasks: {}', 'TRP_WORKFLOW_HOSTILE 1:1'],
  ['a key __proto__', 'tasks:\n  a:\n    __proto__: {x: 1}', 'TRP_WORKFLOW_HOSTILE 3:5'],
  ['a quoted key __proto__', '{"tasks": {"__proto__": {}}}', 'TRP_WORKFLOW_HOSTILE 1:12'],
  ['a key constructor', 'constructor: 1', 'TRP_WORKFLOW_HOSTILE 1:1'],
  ['a key prototype', 'tasks: {prototype: {}}', 'TRP_WORKFLOW_HOSTILE 1:9'],
  ['a merge key', 'tasks:\n  a:\n    <<: {uses: simulate}', 'TRP_WORKFLOW_HOSTILE 3:5'],
  ['a list for a key', '? [a, b]\n: 1', 'TRP_WORKFLOW_HOSTILE 1:1'],
  ['a mapping for a key', '{{a: 1}: 2}', 'TRP_WORKFLOW_HOSTILE 1:1'],
  ['null for a key', 'tasks: {}\n~: 1', 'TRP_WORKFLOW_HOSTILE 1:1'],
  ['a second document', 'tasks: {}\n---\ntasks: {}', 'TRP_WORKFLOW_HOSTILE 2:1'],
  ['brackets without end', '['.repeat(500_000), 'TRP_WORKFLOW_HOSTILE 1:65'],
  ['braces without end', '{a: '.repeat(200_000), 'TRP_WORKFLOW_HOSTILE 1:257'],
  ['dashes in a row', '- '.repeat(500_000), 'TRP_WORKFLOW_HOSTILE 1:129'],
  ['question marks in a row', '? '.repeat(500_000), 'TRP_WORKFLOW_HOSTILE 1:129'],
  ['colons in a row', ': '.repeat(500_000), 'TRP_WORKFLOW_HOSTILE 1:129'],
  [
    'nesting by indentation',
    Array.from({ length: 70 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'),
    'TRP_WORKFLOW_HOSTILE 66:66',
  ],
  ['too much text', 'x'.repeat(maxDocumentBytes + 1), 'TRP_WORKFLOW_TOO_LARGE 0:0'],
  [
    'too many bytes in few letters',
    '\u{1F600}'.repeat(maxDocumentBytes / 4 + 1),
    'TRP_WORKFLOW_TOO_LARGE 0:0',
  ],
];

describe('a hostile document', () => {
  it.each(hostile)('is refused: %s', async (_title, text, expected) => {
    const { faults, workflow } = await validated(text);
    expect(workflow).toBeUndefined();
    const found = faults
      .filter(({ code }) => expected.startsWith(code))
      .map(({ code, line, column }) => `${code} ${line}:${column}`);
    expect(found).toContain(expected);
  });

  it.each([
    ['unterminated quotes', '"'.repeat(20_001)],
    ['commas', `[${','.repeat(20_000)}`],
    ['unclosed expressions', `tasks: {a: {uses: simulate, with: "${'${'.repeat(100_000)}"}}`],
    ['nothing', ''],
    ['a byte order mark and nothing', '\ufeff'],
    ['a null byte', 'a: \u0000'],
    ['a number', '42'],
    ['a list', '[1, 2]'],
  ])('ends in faults, not in an exception: %s', async (_title, text) => {
    const { faults, workflow } = await validated(text);
    expect(workflow).toBeUndefined();
    expect(faults.length).toBeGreaterThan(0);
  });

  it('is not what a long line of JSON is', async () => {
    const tasks = Object.fromEntries(
      Array.from({ length: 300 }, (_, i) => [`t${i}`, { uses: 'simulate', with: [[[i]]] }]),
    );
    const { faults, workflow } = await validated(JSON.stringify({ tasks }));
    expect(faults).toEqual([]);
    expect(workflow?.tasks).toHaveLength(300);
  });

  it('is told of in at most a thousand faults', async () => {
    const found = await faultsOf(Array.from({ length: 5000 }, (_, i) => `k${i}: 1`).join('\n'));
    expect(found).toHaveLength(1000);
  });

  it('may use words that only look dangerous', async () => {
    const { faults } = await validated(
      'tasks: {a: {uses: simulate, with: {text: "*x &y !z <<", list: ["%YAML"], block: "a # b"}}}',
    );
    expect(faults).toEqual([]);
  });

  it('is refused when its object is made of forbidden keys or is too deep', async () => {
    const proto: unknown = JSON.parse(
      '{"tasks": {"a": {"uses": "simulate", "with": {"constructor": 1}}}}',
    );
    expect((await validateDocument({ object: proto })).faults).toMatchObject([
      { code: 'TRP_WORKFLOW_HOSTILE', path: 'tasks.a.with.constructor' },
    ]);
    let deep: unknown = 1;
    for (let level = 0; level < 70; level++) deep = { a: deep };
    const { faults } = await validateDocument({
      object: { tasks: { a: { uses: 'simulate', with: deep } } },
    });
    expect(faults.map(({ code }) => code)).toContain('TRP_WORKFLOW_HOSTILE');
  });
});

describe('a document file', () => {
  const folders: string[] = [];

  afterEach(() => {
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
  });

  function fileWith(text: string): string {
    const folder = mkdtempSync(join(tmpdir(), 'troupe-workflow-'));
    folders.push(folder);
    const path = join(folder, 'flow.yaml');
    writeFileSync(path, text);
    return path;
  }

  it('is refused by its size before it is read', async () => {
    const path = fileWith('');
    truncateSync(path, 10 * 1024 * 1024);
    const { faults } = await validateDocument({ path });
    expect(faults).toMatchObject([{ code: 'TRP_WORKFLOW_TOO_LARGE', file: path }]);
  });

  it('gives its folder to relative paths', async () => {
    const path = fileWith(
      'tasks: {a: {module: ./work.mjs#run}, b: {module: "pkg/x"}, c: {module: "host:hello"}}',
    );
    const { workflow } = await validateDocument({ path });
    expect(workflow?.agents['a']).toMatchObject({
      uses: 'function',
      module: join(path, '..', 'work.mjs'),
      export: 'run',
    });
    expect(workflow?.agents['b']).toMatchObject({ module: 'pkg/x', export: 'default' });
    expect(workflow?.agents['c']).toMatchObject({ module: 'host:hello', export: 'default' });
  });

  it('has the same hash wherever it lies', async () => {
    const text = 'tasks: {a: {module: ./work.mjs}}';
    const [here, there] = await Promise.all(
      [fileWith(text), fileWith(text)].map((path) => validateDocument({ path })),
    );
    expect(here?.workflow?.hash).toBe(there?.workflow?.hash);
    expect(here?.workflow?.baseDir).not.toBe(there?.workflow?.baseDir);
  });
});
