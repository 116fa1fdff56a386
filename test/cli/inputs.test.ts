import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { parseInputs, parseValue, readInputs } from '../../src/cli/inputs.ts';
import { FakeShell } from './support/fake-shell.ts';

const folder = mkdtempSync(join(tmpdir(), 'troupe-inputs-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the input of a run', () => {
  it('takes a value as JSON where it parses, else as text', () => {
    expect(
      parseInputs(['n=3', 'ok=true', 'list=[1,"a"]', 'name=tide mills', 'empty=', 'half={"a']),
    ).toEqual({
      n: 3,
      ok: true,
      list: [1, 'a'],
      name: 'tide mills',
      empty: '',
      half: '{"a',
    });
  });

  it('keeps everything after the first equals sign', () => {
    expect(parseInputs(['query=a=b&c=d'])).toEqual({ query: 'a=b&c=d' });
  });

  it('does not take a dot in a key for nesting', () => {
    expect(parseInputs(['a.b=1'])).toEqual({ 'a.b': 1 });
  });

  it('takes a JSON object whole, and later texts win', () => {
    expect(parseInputs(['a=1', '{"a": 2, "b": {"c": null}}', 'b=3'])).toEqual({ a: 2, b: 3 });
  });

  it('keeps a whole number that a double cannot hold as text', () => {
    expect(parseInputs(['id=12345678901234567890'])).toEqual({ id: '12345678901234567890' });
  });

  it('gives a key of a prototype its own value and no more', () => {
    const input = parseInputs(['__proto__=1', 'constructor=2']);
    expect(Object.keys(input)).toEqual(['__proto__', 'constructor']);
    expect(Object.getPrototypeOf(input)).toBe(Object.prototype);
  });

  it.each(['topic', '=x', '[1]', '{"a": }'])('refuses %s', (text) => {
    expect(() => parseInputs([text])).toThrow(
      expect.objectContaining({ code: 'TRP_INPUT_INVALID' }),
    );
  });

  it('gives back any JSON value that it is given as JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value);
        fc.pre(
          typeof value !== 'number' || !Number.isInteger(value) || Number.isSafeInteger(value),
        );
        expect(parseValue(text)).toEqual(JSON.parse(text));
      }),
    );
  });
});

describe('an input file', () => {
  it('is read as JSON, and the command line wins over it', async () => {
    writeFileSync(join(folder, 'in.json'), '{"a": 1, "b": 1}');
    const shell = new FakeShell({ cwd: folder });
    expect(await readInputs(shell, { inputFile: 'in.json', input: ['b=2'] })).toEqual({
      a: 1,
      b: 2,
    });
  });

  it('is read as YAML by its ending', async () => {
    writeFileSync(join(folder, 'in.yaml'), 'a: [1, two]\n');
    expect(await readInputs(new FakeShell({ cwd: folder }), { inputFile: 'in.yaml' })).toEqual({
      a: [1, 'two'],
    });
  });

  it('is standard input when it is a dash', async () => {
    expect(await readInputs(new FakeShell({ input: '{"a": 1}' }), { inputFile: '-' })).toEqual({
      a: 1,
    });
  });

  it.each([
    ['missing.json', 'missing.json'],
    ['list.json', 'list.json'],
    ['broken.yaml', 'broken.yaml:2:'],
    ['list.yaml', 'list.yaml'],
  ])('is refused with its name when it is %s', async (file, place) => {
    writeFileSync(join(folder, 'list.json'), '[1]');
    writeFileSync(join(folder, 'list.yaml'), '- 1\n');
    writeFileSync(join(folder, 'broken.yaml'), 'a: [1\n');
    await expect(
      readInputs(new FakeShell({ cwd: folder }), { inputFile: file }),
    ).rejects.toMatchObject({
      code: 'TRP_INPUT_INVALID',
      place: expect.stringContaining(place),
    });
  });
});
