import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

/** A row: what fails, and the file and title of its test. */
interface Row {
  readonly failure: string;
  readonly file: string;
  readonly title: string;
}

const rows: readonly Row[] = readFileSync('docs/failures.md', 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('|') && line.includes('test/'))
  .map((line) => {
    const cells = line.split('|').map((cell) => cell.trim());
    const failure = cells[1] ?? '';
    const [, file = '', title = failure] = /`(test\/[^:`]+)(?:: ([^`]+))?`/.exec(line) ?? [];
    return { failure, file, title };
  });

describe('the page of failures', () => {
  it('has the rows of all failures that were promised', () => {
    expect(rows.length).toBeGreaterThan(38);
    expect(new Set(rows.map(({ failure }) => failure)).size).toBe(rows.length);
  });

  it.each(rows)('names a test that there is: $failure', ({ file, title }) => {
    const source = readFileSync(file, 'utf8');
    expect(source).toContain(`'${title}`);
  });

  it('has a row for every test of test/failures', () => {
    for (const part of ['workers', 'groups', 'resources']) {
      const file = `test/failures/${part}.test.ts`;
      const titles = [...readFileSync(file, 'utf8').matchAll(/^ {2}it\('([^']+)'/gm)];
      expect(titles.length).toBeGreaterThan(5);
      for (const [, title = ''] of titles) {
        const named = rows.some((row) => row.file === file && title.startsWith(row.title));
        expect(named, title).toBe(true);
      }
    }
  });
});
