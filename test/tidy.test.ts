import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { importFault } from '../scripts/architecture.mjs';
import { listFiles, parseSource, readSources } from './support/source.ts';

const src = readSources('src');
const tests = readSources('test');
const others = readSources('scripts', 'config');
const code = [...src, ...tests, ...others];

/** Contracts: files of types that name the parts of one thing, where a split would hide the whole. */
const contracts = [
  'src/actors/behaviours/behaviour.ts',
  'src/bus/work-queue.ts',
  'src/journal/record.ts',
  'src/workflow/model.ts',
];

describe('sizes', () => {
  it('keeps nine functions of ten within 25 lines', () => {
    expect(p90(src.flatMap((file) => file.functionLines))).toBeLessThanOrEqual(25);
  });

  it('keeps nine files of ten within 350 lines', () => {
    expect(p90(src.map((file) => file.lines))).toBeLessThanOrEqual(350);
  });

  it('keeps the exports of a file within 8', () => {
    const crowded = src.filter(
      ({ exports, path }) => exports.length > 8 && !contracts.includes(path),
    );
    expect(crowded.map(({ exports, path }) => `${path}: ${exports.length}`)).toEqual([]);
  });
});

describe('names', () => {
  it('names every file after its subject', () => {
    const vague = /(^|[-.])(utils?|helpers?|commons?|misc|managers?|types)([-.]|$)/;
    expect(code.filter(({ path }) => vague.test(basename(path))).map(({ path }) => path)).toEqual(
      [],
    );
  });

  it('writes file names in kebab-case', () => {
    const kebab = /^[a-z0-9]+([-.][a-z0-9]+)*\.(ts|mjs)$/;
    expect(code.filter(({ path }) => !kebab.test(basename(path))).map(({ path }) => path)).toEqual(
      [],
    );
  });
});

describe('words', () => {
  it('documents every exported declaration', () => {
    const silent = src.flatMap(({ path, exports }) =>
      exports.filter(({ documented }) => !documented).map(({ name }) => `${path}: ${name}`),
    );
    expect(silent).toEqual([]);
  });

  it('leaves no note of unfinished work in a comment', () => {
    const unfinished = /\b(TODO|FIXME|XXX|HACK)\b/;
    const notes = code.flatMap(({ path, comments }) =>
      comments.filter((text) => unfinished.test(text)).map((text) => `${path}: ${text.trim()}`),
    );
    expect(notes).toEqual([]);
  });

  it('states behaviour in test titles', () => {
    const titles = tests.flatMap(({ path, testCalls }) =>
      testCalls.map(({ title }) => `${path}: ${title ?? ''}`),
    );
    expect(titles.filter((title) => /\bshould\b/i.test(title))).toEqual([]);
  });

  it('runs every test that is written', () => {
    const held = ['only', 'skip', 'todo', 'fails'];
    const calls = tests.flatMap(({ path, testCalls }) =>
      testCalls
        .filter(({ modifiers }) => modifiers.some((name) => held.includes(name)))
        .map(({ title }) => `${path}: ${title ?? ''}`),
    );
    expect(calls).toEqual([]);
  });
});

describe('documents', () => {
  const pages = listFiles('.', /\.md$/);

  it('link only to files that exist', () => {
    const broken = pages.flatMap((page) =>
      linksOf(readFileSync(page, 'utf8'))
        .filter((target) => !existsSync(join(dirname(page), target)))
        .map((target) => `${page}: ${target}`),
    );
    expect(broken).toEqual([]);
  });

  it('name no path of somebody’s machine', () => {
    const home = /(?<![\w.~}-])(\/(home|Users|root)\/[\w.-]+|[A-Z]:\\Users\\)/;
    const named = listFiles('.', /(\.(ts|mjs|json|ya?ml|md|conf|html)|run|rc)$/).filter((path) =>
      home.test(readFileSync(path, 'utf8')),
    );
    expect(named).toEqual([]);
  });
});

describe('the watch over the code', () => {
  it('sees size, exports, doc comments and titles of a file', () => {
    const text = [
      '/** Adds. */',
      'export function add(a: number, b: number): number {',
      '  return a + b;',
      '}',
      'export const one = 1;',
      "export { two } from './two.ts';",
      "it.skip.each([1])('adds %i', () => undefined);",
    ].join('\n');
    expect(parseSource('sample.ts', text)).toEqual({
      path: 'sample.ts',
      lines: 7,
      comments: ['* Adds. '],
      functionLines: [3],
      exports: [
        { name: 'add', documented: true },
        { name: 'one', documented: false },
      ],
      testCalls: [
        { title: 'adds %i', modifiers: ['skip', 'each'] },
        { title: undefined, modifiers: ['skip', 'each'] },
      ],
    });
  });

  it('tells code apart from its address in links', () => {
    const text =
      'See [a](a.md#part), [b](https://b.example), [c](#c).\n```\n[d](d.md)\n```\n`[e](e.md)`';
    expect(linksOf(text)).toEqual(['a.md']);
  });

  it.each([
    ['core/heap.ts', '../workflow/model.ts', 'core may not import workflow'],
    ['planning/plan.ts', '../policies/retry.ts', 'planning may not import policies'],
    ['cli/main.ts', '../index.ts', 'cli may not import the doors'],
    ['supervisors/run.ts', 'xstate', 'xstate is for src/actors/xstate.ts only'],
    ['memory/view.ts', 'fs/promises', 'fs/promises is for src/bus/nats/, src/journal/'],
    ['core/heap.ts', 'left-pad', 'left-pad has no place'],
  ])('refuses that %s imports %s', (file, specifier, fault) => {
    expect(importFault(file, specifier)).toContain(fault);
  });

  it.each([
    ['actors/behaviours/command.ts', '../../core/clock.ts'],
    ['actors/behaviours/command.ts', 'node:child_process'],
    ['core/canonical.ts', 'node:crypto'],
    ['index.ts', './runtime/api.ts'],
  ])('lets %s import %s', (file, specifier) => {
    expect(importFault(file, specifier)).toBeUndefined();
  });
});

/** The smallest value that nine values of ten do not exceed; 0 of none. */
function p90(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * 0.9) - 1] ?? 0;
}

/** Relative targets of the links of a Markdown text, without what stands in code. */
function linksOf(markdown: string): string[] {
  const prose = markdown.replace(/^```[^]*?^```/gm, '').replace(/`[^`\n]*`/g, '');
  const targets = [...prose.matchAll(/\]\(<?([^)>\s]+)/g)].map(([, target = '']) => target);
  return targets
    .filter((target) => !/^([a-z]+:|#)/.test(target))
    .map((target) => target.replace(/#.*$/, ''));
}
