import {
  chmodSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { history } from '../../config/workflows/repo-review/history.mjs';
import { inventory } from '../../config/workflows/repo-review/inventory.mjs';
import { readText } from '../../config/workflows/repo-review/files.mjs';
import { writeReport } from '../../config/workflows/repo-review/report.mjs';
import type { Plain } from '../../src/core/plain.ts';
import { GitRepository } from '../support/git-repository.ts';
import { runReview, taskContext } from '../support/review-run.ts';
import type { ReviewRun } from '../support/review-run.ts';

const file = join(import.meta.dirname, '../../config/workflows/repo-review.yaml');

let repository: GitRepository;

beforeEach(() => {
  repository = GitRepository.create();
});

afterEach(() => repository.remove());

function survey(input: { [name: string]: Plain } = {}) {
  const given = { path: repository.root, out: repository.beside('out'), max_files: 5000, ...input };
  return inventory(taskContext(given));
}

async function review(path = repository.root): Promise<{ run: ReviewRun; markdown: string }> {
  const out = repository.beside('out');
  const run = await runReview(file, { path, out });
  expect([...run.errors]).toEqual([]);
  return { run, markdown: readFileSync(join(out, 'report.md'), 'utf8') };
}

describe('repositories out of the ordinary', () => {
  it('reviews a folder without git and says that there is no history', async () => {
    repository.write({ 'a.js': 'export const a = 1;\n', 'node_modules/x/x.js': 'x\n' });
    const { markdown } = await review();
    expect(markdown).toContain('A folder without git history. 1 of 1 file examined');
    expect(markdown).toContain('No history: not a git repository.');
    expect(markdown).toContain('No churn: not a git repository.');
  });

  it('reviews a repository without a commit and without a file', async () => {
    repository.git('init', '-q');
    const { markdown } = await review();
    expect(markdown).toContain('A git repository without a commit. 0 of 0 files examined.');
    expect(markdown).toContain('Nothing was found.');
    expect(markdown).toContain('**There is nothing to review: no files.**');
  });

  it('tells that the history of a shallow clone is partial', async () => {
    repository.git('init', '-q');
    for (const text of ['1', '2', '3'])
      repository.write({ 'a.js': `export const a = ${text};\n` }).commit();
    const clone = repository.beside('clone');
    repository.git('clone', '-q', '--depth', '1', `file://${repository.root}`, clone);
    const { run, markdown } = await review(clone);
    expect(markdown).toContain('A shallow clone: its history is cut off');
    expect(run.tasks.get('history')).toMatchObject({ commits: 1, available: true });
  });

  it('counts changes below a folder of a repository by their path in it', async () => {
    repository.git('init', '-q');
    repository
      .write({ 'inner/a.js': 'export const a = 1;\n', 'b.js': 'export const b = 1;\n' })
      .commit();
    const { run } = await review(join(repository.root, 'inner'));
    expect(run.tasks.get('history')).toMatchObject({ files: [{ file: 'a.js', commits: 1 }] });
  });

  it('leaves submodules and missing files to others, with the reason', async () => {
    repository.git('init', '-q');
    repository.write({ 'gone.js': 'x\n' }).commit();
    const head = repository.git('rev-parse', 'HEAD').trim();
    repository.git('update-index', '--add', '--cacheinfo', `160000,${head},module`);
    unlinkSync(join(repository.root, 'gone.js'));
    const { gaps, files } = await survey();
    expect(files).toEqual([]);
    expect(gaps.map(({ what, count }) => [what, count])).toEqual([
      ['missing files', 1],
      ['submodules', 1],
    ]);
  });

  it('reads names with spaces, quotes, line ends and letters of any script', async () => {
    const names = ['a b.js', 'line\nend.js', 'quote".js', 'ünï.js', '日本.js'];
    repository.git('init', '-q');
    repository
      .write(Object.fromEntries(names.map((name) => [name, 'export const a = 1;\n'])))
      .commit();
    const { run, markdown } = await review();
    expect(run.tasks.get('history')).toMatchObject({ changedFiles: names.length });
    expect(markdown).not.toContain('line\nend');
  });
});

describe('the headline', () => {
  it('says that few of the files were examined, and nothing of it when most were', async () => {
    const sources = Object.fromEntries(
      ['a.js', 'b.js', 'c.js', 'd.js', 'e.js'].map((name) => [name, 'export const a = 1;\n']),
    );
    repository.write(sources);
    const whole = await review();
    expect(whole.markdown).not.toContain('examined. Nothing critical');
    const out = repository.beside('few');
    await runReview(file, { path: repository.root, out, max_files: 2 });
    expect(readFileSync(join(out, 'report.md'), 'utf8')).toContain(
      '**Only 2 of 5 files were examined. Nothing critical',
    );
  });
});

describe('a README', () => {
  const about =
    'This is a tool for people who want to use it often and who like examples a lot.\n\n';

  async function missingIn(text: string): Promise<string> {
    repository.write({ 'README.md': `# Tool\n\n${about}${text}` });
    const { run } = await review();
    const { findings } = run.tasks.get('documentation') as {
      findings: { rule: string; title: string }[];
    };
    return findings.find(({ rule }) => rule === 'readme-part')?.title ?? '';
  }

  it.each([
    '```sh\nnpm ci\n```\n',
    '```\n$ pip3 install tool\n```\n',
    '~~~\ncargo build --release\n~~~\n',
    '```sh\ngo install example.org/tool@latest\n```\n',
    '    docker run tool\n',
    '```\ngit clone https://example.org/tool\n```\n',
  ])('tells how to install it by the command in %j', async (text) => {
    expect(await missingIn(text)).not.toContain('installing');
  });

  it.each(['```js\nrun();\n```\n', 'Runs npm ci and docker run for you.\n'])(
    'does not by %j',
    async (text) => {
      expect(await missingIn(text)).toContain('installing');
    },
  );
});

describe('imports', () => {
  it('tells a file that is only on this disk from one that does not exist and one that was left out', async () => {
    repository.git('init', '-q');
    repository.write({
      '.gitignore': 'local.js\n',
      'a.js': "import './local.js';\nimport './none.js';\nimport './dist/built.js';\n",
      'dist/built.js': 'export {};\n',
    });
    repository.commit().write({ 'local.js': 'export {};\n' });
    const { run } = await review();
    const { findings } = run.tasks.get('structure') as {
      findings: { rule: string; line: number }[];
    };
    expect(findings.map(({ rule, line }) => [rule, line])).toEqual([
      ['untracked-import', 1],
      ['lost-import', 2],
    ]);
  });
});

describe('a folder that cannot be reviewed', () => {
  it.each([
    ['nowhere', 'does not exist'],
    ['file.txt', 'is not a folder'],
  ])('refuses %s for good', async (name, reason) => {
    writeFileSync(repository.beside('file.txt'), '');
    const attempt = survey({ path: repository.beside(name) });
    await expect(attempt).rejects.toMatchObject({
      errorClass: 'permanent',
      message: expect.stringContaining(reason) as string,
    });
  });
});

describe('limits', () => {
  it('keeps source files first when there are too many files', async () => {
    repository.write({ 'a.md': '# a\n', 'b.json': '{}\n', 'z.js': 'z\n', 'test/y.test.js': 'y\n' });
    const { files, gaps } = await survey({ max_files: 2 });
    expect(files).toEqual(['test/y.test.js', 'z.js']);
    expect(gaps).toMatchObject([{ what: 'files over the limit', count: 2 }]);
  });

  it.each(['many', 0, -1, 1.5])('refuses %j as a limit', async (max_files) => {
    await expect(survey({ max_files })).rejects.toMatchObject({ errorClass: 'permanent' });
  });

  it('leaves its own report out', async () => {
    repository.write({ 'a.js': 'a\n', 'report/report.md': '# old\n' });
    expect((await survey({ out: join(repository.root, 'report') })).files).toEqual(['a.js']);
  });

  it('leaves large files out', async () => {
    repository.write({ 'large.js': 'x'.repeat(1024 * 1024 + 1) });
    expect((await survey()).gaps).toMatchObject([{ what: 'files over 1024 KiB', count: 1 }]);
  });

  it('counts a span back from the newest commit, not from today', async () => {
    repository.git('init', '-q');
    repository.write({ 'a.js': '1\n' }).commit();
    const { root, version, files } = await survey();
    const read = (since: string) =>
      history(taskContext({ root, version: { ...version }, files, since }));
    expect((await read('10 days')).window).toBe('since 2025-12-23');
    expect((await read('all')).window).toBe('the whole history');
    await expect(read('some time')).rejects.toMatchObject({ errorClass: 'permanent' });
  });
});

describe('reading files', () => {
  it('does not follow a link to the outside, not even by way of a folder', async () => {
    const outside = repository.beside('outside');
    mkdirSync(outside);
    writeFileSync(join(outside, 'secret.txt'), 'secret');
    symlinkSync(join(outside, 'secret.txt'), join(repository.root, 'link.txt'));
    symlinkSync(outside, join(repository.root, 'folder'));
    expect(await readText(repository.root, 'link.txt')).toEqual({ reason: 'not a regular file' });
    expect(await readText(repository.root, 'folder/secret.txt')).toEqual({
      reason: 'a link leads out of the repository',
    });
    expect(await readText(repository.root, '../outside/secret.txt')).toEqual({
      reason: 'a link leads out of the repository',
    });
  });

  it('says why it read nothing', async () => {
    repository.write({ binary: Buffer.from([0, 1, 2]) });
    expect(await readText(repository.root, 'binary')).toEqual({ reason: 'binary content' });
    expect(await readText(repository.root, 'none')).toEqual({ reason: 'no longer there' });
  });

  it('reads UTF-16 and cuts at the limit', async () => {
    repository.write({ wide: Buffer.from('\ufeffwide', 'utf16le'), long: 'x'.repeat(100) });
    expect(await readText(repository.root, 'wide')).toMatchObject({ text: 'wide', broken: false });
    expect(await readText(repository.root, 'long', { limit: 10 })).toMatchObject({
      text: 'x'.repeat(10),
      truncated: true,
    });
  });
});

describe('writing the report', () => {
  it('leaves the old report whole when it cannot write', async () => {
    repository.git('init', '-q');
    repository.write({ 'a.js': 'export const a = 1;\n' }).commit();
    const { run, markdown } = await review();
    const out = repository.beside('out');
    mkdirSync(join(out, 'blocked'));
    writeFileSync(join(out, 'blocked', 'report.md'), markdown);
    mkdirSync(join(out, 'blocked', 'report.json'));
    chmodSync(join(out, 'blocked'), 0o755);
    const input = {
      review: run.tasks.get('synthesis') ?? null,
      checked: null,
      out: join(out, 'blocked'),
    };
    await expect(writeReport(taskContext(input))).rejects.toThrow();
    expect(readFileSync(join(out, 'blocked', 'report.md'), 'utf8')).toContain(
      '# Review of project',
    );
  });
});
