import { byText, eachItem, inputOf, rounded } from './context.mjs';
import { isText, readText } from './files.mjs';
import { aspectOutput, counted } from './findings.mjs';
import { baseName, languageOf, roleOf } from './languages.mjs';
import { present } from './size.mjs';
import { evidenceOf } from './redact.mjs';
import { inComment, scan } from './scan.mjs';

/**
 * @typedef {import('./measure.mjs').Measures} Measures
 * @typedef {{ file: string, line: number, kind: 'only' | 'skip', evidence: string }} Mark
 * @typedef {{ frameworks: Set<string>, named: Set<string>, marks: Mark[], cases: number, inline: Set<string> }} Seen
 */

const frameworks = /** @type {const} */ ([
  ['vitest', /from ["']vitest["']/],
  ['jest', /@jest\/globals|\bjest\.(?:fn|mock|spyOn)\(/],
  ['mocha or chai', /from ["'](?:mocha|chai)["']|require\(["'](?:mocha|chai)["']\)/],
  ['node:test', /["']node:test["']/],
  ['ava', /["']ava["']/],
  ['tape or tap', /["'](?:tape|tap)["']/],
  ['playwright', /@playwright\/test/],
  ['pytest', /\bimport pytest\b|^def test_\w+\(/m],
  ['unittest', /\bimport unittest\b/],
  ['go test', /^func Test\w+\(t \*testing\.T\)/m],
  ['rust test', /#\[(?:\w+::)?test\]/],
  ['junit', /org\.junit/],
  ['rspec', /\bRSpec\.describe\b/],
]);

const testCase =
  /(?<![\w.$])(?:it|test|specify)(?:\.\w+)*\s*\(|^\s*(?:async\s+)?def test_|^func Test\w+\(|#\[(?:\w+::)?test\]|@Test\b/;
const onlyMark =
  /(?<![\w.$])(?:it|test|describe|suite)\.only\s*\(|(?<![\w.$])f(?:it|describe)\s*\(\s*"/;
const skipMark =
  /(?<![\w.$])(?:it|test|describe|suite)\.(?:skip|todo)\s*\(|(?<![\w.$])x(?:it|describe)\s*\(\s*"|@pytest\.mark\.skip|@(?:Disabled|Ignore)\b|\bt\.Skip\(/;

/**
 * Whether the code is tested: how much test code there is, which modules no test names, which tests
 * are switched off.
 *
 * @param {import('./context.mjs').TaskContext} ctx
 */
export async function tests(ctx) {
  /** @type {{ root: string, files: string[], measures: (Measures | null)[] }} */
  const input = inputOf(ctx);
  const testFiles = input.files.filter((path) => roleOf(path) === 'test');
  const modules = input.files.filter(isModule);
  const seen = await readTests(ctx, input.root, [
    ...testFiles,
    ...modules.filter((path) => path.endsWith('.rs')),
  ]);
  const untested = modules.filter((path) => !isNamed(path, seen));
  const lines = linesBy(present(input.measures));
  return aspectOutput('tests', {
    examined: `${counted(testFiles.length, 'test file')}, ${counted(seen.cases, 'test case')}, ${counted(modules.length, 'module')}`,
    findings: [...markFindings(seen.marks), ...ratioFindings(modules.length, testFiles.length)],
    tables: [
      overview(seen, lines, { modules: modules.length, untested: untested.length }),
      untestedTable(untested, present(input.measures)),
    ],
    metrics: {
      test_files: testFiles.length,
      cases: seen.cases,
      modules: modules.length,
      untested: untested.length,
      ...lines,
      off: seen.marks.length,
    },
    notes: [
      '"Named by a test" is judged by file names and imports; no test was run and no coverage was measured.',
    ],
  });
}

/** @param {string} path Source that a test could name: no declarations, no start files, no settings of tools. */
function isModule(path) {
  const family = languageOf(path)?.family;
  if (roleOf(path) !== 'source' || family === 'html' || family === 'dash') return false;
  return !/\.d\.[mc]?ts$|\.config\.[mc]?[jt]s$|(^|\/)(index\.[mc]?[jt]sx?|__init__\.py|setup\.py)$|\.(css|scss|less)$/.test(
    path,
  );
}

/**
 * @param {import('./context.mjs').TaskContext} ctx
 * @param {string} root
 * @param {readonly string[]} paths
 */
async function readTests(ctx, root, paths) {
  /** @type {Seen} */
  const seen = { frameworks: new Set(), named: new Set(), marks: [], cases: 0, inline: new Set() };
  await eachItem(ctx, paths, async (path) => {
    const file = await readText(root, path, { signal: ctx.signal });
    if (isText(file)) readTest(seen, path, file.text);
  });
  return seen;
}

/**
 * @param {Seen} seen
 * @param {string} path
 * @param {string} text
 */
function readTest(seen, path, text) {
  for (const [name, pattern] of frameworks) if (pattern.test(text)) seen.frameworks.add(name);
  if (path.endsWith('.rs') && text.includes('#[cfg(test)]')) seen.inline.add(path);
  seen.named.add(stemOf(path));
  for (const name of importedStems(text)) seen.named.add(name);
  const scanned = scan(text, languageOf(path)?.family ?? 'prose');
  for (const [index, line] of scanned.code.entries())
    readLine(seen, {
      path,
      line,
      index,
      raw: scanned.raw[index] ?? '',
      comment: inComment(scanned, index, 0),
    });
}

/**
 * @param {Seen} seen
 * @param {{ path: string, line: string, index: number, raw: string, comment: boolean }} at
 */
function readLine(seen, { path, line, index, raw, comment }) {
  if (comment) return;
  if (testCase.test(line)) seen.cases += 1;
  const kind = onlyMark.test(line) ? 'only' : skipMark.test(line) ? 'skip' : undefined;
  if (kind !== undefined)
    seen.marks.push({ file: path, line: index + 1, kind, evidence: evidenceOf(raw) });
}

/**
 * Names of modules that a test imports: the last part of each specifier.
 *
 * @param {string} text
 */
function importedStems(text) {
  const specifiers = [
    ...text.matchAll(
      /["']((?:\.{1,2}|[@~]?[\w-]+)(?:\/[\w.@-]+)+)["']|^\s*(?:from|import)\s+([\w.]+)(?:\s+import\s+([\w, ]+))?/gm,
    ),
  ];
  return specifiers.flatMap((match) => [
    ...(match[1] === undefined ? [] : [stemOf(match[1])]),
    ...(match[2] === undefined ? [] : match[2].split('.')),
    ...(match[3] === undefined ? [] : match[3].split(',').map((name) => name.trim().toLowerCase())),
  ]);
}

/** @param {string} path The name without folder, extension and what marks a test. */
function stemOf(path) {
  const name = baseName(path).replace(/\.[mc]?[jt]sx?$|\.\w+$/, '');
  return name.replace(/[._-](test|spec)s?$|^test_|Tests?$/g, '').toLowerCase();
}

/**
 * @param {string} path
 * @param {Seen} seen
 */
function isNamed(path, seen) {
  return seen.inline.has(path) || seen.named.has(stemOf(path));
}

/** @param {readonly Measures[]} shards */
function linesBy(shards) {
  const source = shards.reduce((sum, shard) => sum + shard.roles.source.code, 0);
  const test = shards.reduce((sum, shard) => sum + shard.roles.test.code, 0);
  return { source_lines: source, test_lines: test };
}

/** @param {readonly Mark[]} marks */
function markFindings(marks) {
  return marks.map((mark) => ({
    rule: mark.kind === 'only' ? 'test-only' : 'test-skipped',
    severity: mark.kind === 'only' ? /** @type {const} */ ('medium') : /** @type {const} */ ('low'),
    confidence: /** @type {const} */ ('high'),
    title:
      mark.kind === 'only'
        ? 'Only this test runs: the others in its file are silent'
        : 'A test is switched off',
    file: mark.file,
    line: mark.line,
    evidence: mark.evidence,
    fix: mark.kind === 'only' ? 'Remove the mark.' : 'Mend it, or delete it and say why.',
  }));
}

/**
 * @param {number} modules
 * @param {number} testFiles
 */
function ratioFindings(modules, testFiles) {
  if (testFiles > 0 || modules < 3) return [];
  const title = `No test found for ${counted(modules, 'module')}`;
  return [
    {
      rule: 'no-tests',
      severity: /** @type {const} */ ('medium'),
      confidence: /** @type {const} */ ('medium'),
      title,
      file: null,
      line: null,
      evidence: '',
      fix: 'Begin with the hotspots.',
    },
  ];
}

/**
 * @param {Seen} seen
 * @param {{ source_lines: number, test_lines: number }} lines
 * @param {{ modules: number, untested: number }} counts
 */
function overview(seen, lines, { modules, untested }) {
  return {
    title: 'Tests',
    columns: ['what', 'value'],
    rows: [
      ['frameworks', [...seen.frameworks].sort(byText).join(', ') || 'none recognised'],
      ['test cases', seen.cases],
      [
        'test lines per source line',
        rounded(lines.test_lines / Math.max(1, lines.source_lines), 2),
      ],
      ['modules named by a test', `${modules - untested} of ${modules}`],
      ['tests switched off or singled out', seen.marks.length],
    ],
  };
}

/**
 * @param {readonly string[]} untested
 * @param {readonly Measures[]} shards
 */
function untestedTable(untested, shards) {
  const facts = new Map(shards.flatMap((shard) => shard.files).map((row) => [row.file, row]));
  const rows = untested
    .map((path) => ({
      path,
      complexity: facts.get(path)?.complexity ?? 0,
      code: facts.get(path)?.code ?? 0,
    }))
    .sort((a, b) => b.complexity - a.complexity || byText(a.path, b.path))
    .slice(0, 15);
  return {
    title: 'Modules that no test names, hardest first',
    columns: ['module', 'complexity', 'code lines'],
    rows: rows.map((row) => [row.path, row.complexity, row.code]),
  };
}
