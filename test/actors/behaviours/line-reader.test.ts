import fc from 'fast-check';
import { expect, it } from 'vitest';
import { LineReader } from '../../../src/actors/behaviours/command/line-reader.ts';

function read(
  chunks: readonly Uint8Array[],
  maxLineBytes = 1_000,
  maxTotalBytes = 100_000,
): string[] {
  const lines: string[] = [];
  const reader = new LineReader({ maxLineBytes, maxTotalBytes }, (line) => lines.push(line));
  for (const chunk of chunks) reader.push(chunk);
  reader.end();
  return lines;
}

it('gives the same lines however the bytes are cut', () => {
  const line = fc
    .string({ unit: 'grapheme' })
    .filter((text) => !/[\r\n]/.test(text) && !text.startsWith('\uFEFF'));
  fc.assert(
    fc.property(fc.array(line), fc.array(fc.nat(7), { minLength: 1 }), (lines, cuts) => {
      const bytes = Buffer.from(lines.map((text) => `${text}\n`).join(''));
      const chunks: Uint8Array[] = [];
      for (let start = 0, turn = 0; start < bytes.length; turn++) {
        const end = start + 1 + (cuts[turn % cuts.length] ?? 0);
        chunks.push(bytes.subarray(start, end));
        start = end;
      }
      expect(read(chunks)).toEqual(lines);
    }),
  );
});

it('takes a last line without an end, and line ends of either kind', () => {
  expect(read([Buffer.from('a\r\n\nb')])).toEqual(['a', '', 'b']);
});

it('refuses one byte more than a limit and not one less', () => {
  expect(read([Buffer.from('12345\n')], 5, 6)).toEqual(['12345']);
  expect(() => read([Buffer.from('12345'), Buffer.from('6')], 5, 100)).toThrow(
    'a line of more than 5 bytes',
  );
  expect(() => read([Buffer.from('1\n2\n')], 5, 3)).toThrow('more than 3 bytes');
});

it('refuses bytes that are no UTF-8', () => {
  expect(() => read([Buffer.from([0xc3, 0x28, 0x0a])])).toThrow(TypeError);
});
