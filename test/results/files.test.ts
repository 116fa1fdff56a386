import { describe, expect, it } from 'vitest';
import { mergeFile } from '../../src/results/files.ts';
import type { FileVersion } from '../../src/results/files.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);
const left = (task: string, text: string): FileVersion => ({
  task,
  agent: task,
  bytes: bytes(text),
});
const textOf = (found: Uint8Array | undefined): string | undefined =>
  found && Buffer.from(found).toString();

describe('a file that several tasks have written', () => {
  it('is merged line by line when all began from one text', () => {
    const answer = mergeFile({
      versions: [left('a', 'A\nb\nc\nd'), left('b', 'a\nb\nc\nD')],
      base: bytes('a\nb\nc\nd'),
      there: undefined,
    });
    expect([textOf(answer.bytes), answer.conflicts]).toEqual(['A\nb\nc\nD', []]);
  });

  it('is the strongest’s where two changed one line, or where there is nothing to compare with', () => {
    const met = mergeFile({
      versions: [left('a', 'A'), left('b', 'B')],
      base: bytes('x'),
      there: undefined,
    });
    expect(textOf(met.bytes)).toBe('A');
    expect(met.conflicts).toMatchObject([{ loser: { task: 'b' }, lost: [{ line: 1, text: 'B' }] }]);
    const fresh = mergeFile({
      versions: [left('a', 'A'), left('b', 'B')],
      base: undefined,
      there: undefined,
    });
    expect(fresh.conflicts).toMatchObject([
      { loser: { task: 'b' }, winner: { task: 'a' }, lost: [] },
    ]);
  });

  it('of bytes is never mixed', () => {
    const answer = mergeFile({
      versions: [left('a', 'A\0'), left('b', 'B\0')],
      base: bytes('\0'),
      there: undefined,
    });
    expect([textOf(answer.bytes), answer.conflicts.length]).toEqual(['A\0', 1]);
  });

  it('leaves what somebody else has put there meanwhile, and tells it', () => {
    const answer = mergeFile({ versions: [left('a', 'A')], base: undefined, there: bytes('new') });
    expect(answer).toMatchObject({
      bytes: undefined,
      conflicts: [{ loser: { task: 'a' }, winner: undefined }],
    });
    const same = mergeFile({ versions: [left('a', 'A')], base: undefined, there: bytes('A') });
    expect(same).toEqual({ bytes: undefined, conflicts: [] });
  });
});
