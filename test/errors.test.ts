import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { errorCodes } from '../src/core/errors.ts';
import { listFiles } from './support/source.ts';

const codes = Object.entries(errorCodes);
const page = readFileSync('docs/errors.md', 'utf8');
const rows = [...page.matchAll(/^\| `(TRP_\w+)`\s*\| (.*?)\s*\|$/gm)].map(
  ([, code = '', text = '']) => [code, text.replaceAll('\\|', '|')],
);

describe('error codes', () => {
  it('stand in docs/errors.md as in the code, in the same order', () => {
    expect(rows).toEqual(codes);
  });

  it('are named after an area and a fault, and end their meaning with a full stop', () => {
    expect(codes.filter(([code]) => !/^TRP(_[A-Z]+)+$/.test(code))).toEqual([]);
    expect(codes.filter(([, text]) => !text.endsWith('.'))).toEqual([]);
  });

  it('are each raised somewhere', () => {
    const source = listFiles('src', /\.(ts|mjs)$/).map((path) => readFileSync(path, 'utf8'));
    const raised = new Set(source.join('\n').match(/(?<=['"`])TRP_\w+(?=['"`])/g));
    expect(codes.map(([code]) => code).filter((code) => !raised.has(code))).toEqual([]);
  });

  it('are all in the table when a page or a source names one', () => {
    const paths = [...listFiles('src', /\.(ts|mjs)$/), ...listFiles('docs', /\.md$/)];
    const unknown = paths.flatMap((path) =>
      (readFileSync(path, 'utf8').match(/\bTRP_[A-Z]+(?:_[A-Z]+)*\b(?!_)/g) ?? [])
        .filter((code) => !(code in errorCodes))
        .map((code) => `${path}: ${code}`),
    );
    expect(unknown).toEqual([]);
  });
});
