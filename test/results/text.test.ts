import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mergeWrite } from '../../src/results/merging.ts';
import { mergeText } from '../../src/results/text.ts';

const line = fc.constantFrom('a', 'b', 'c', '', '__proto__', 'constructor', 'x\r');
const content = fc.array(line, { maxLength: 8 }).map((lines) => lines.join('\n'));

describe('a text that two have edited', () => {
  it('is what one made of it when the other changed nothing, or the same', () => {
    fc.assert(
      fc.property(content, content, (base, edited) => {
        const cases = [
          { base, winner: edited, loser: base },
          { base, winner: base, loser: edited },
          { base, winner: edited, loser: edited },
        ];
        for (const edits of cases) expect(mergeText(edits)).toEqual({ text: edited, lost: [] });
      }),
    );
  });

  it('keeps both edits where an unchanged line stands between them', () => {
    fc.assert(
      fc.property(
        fc.array(line, { minLength: 1, maxLength: 4 }),
        fc.array(line, { maxLength: 4 }),
        (top, end) => {
          const base = 'first\nmiddle-1\nmiddle-2\nlast';
          const winner = [...top.map((text) => `w${text}`), 'middle-1\nmiddle-2\nlast'].join('\n');
          const loser = ['first\nmiddle-1\nmiddle-2', ...end.map((text) => `l${text}`)].join('\n');
          const both = [
            ...top.map((text) => `w${text}`),
            'middle-1\nmiddle-2',
            ...end.map((text) => `l${text}`),
          ].join('\n');
          expect(mergeText({ base, winner, loser })).toEqual({ text: both, lost: [] });
        },
      ),
    );
  });

  it('has the winner’s lines where both edits meet, and tells which lines were lost', () => {
    const base = 'title\nbody\nend';
    const merged = mergeText({
      base,
      winner: 'title\nours\nend',
      loser: 'title\ntheirs\nend\nmore',
    });
    expect(merged).toEqual({ text: 'title\nours\nend\nmore', lost: [{ line: 2, text: 'theirs' }] });
  });

  it('is taken whole when it has too many lines to compare', () => {
    const base = Array.from({ length: 10_001 }, () => 'same').join('\n');
    const merged = mergeText({ base, winner: `${base}\nw`, loser: `l\n${base}` });
    expect(merged.text).toBe(`${base}\nw`);
    expect(merged.lost).toHaveLength(1);
  });

  it('is merged inside of mappings by three_way, and whole by type structured', () => {
    const by = { priority: 5, agent: 'a' };
    const base = { plan: 'one\ntwo\nthree\nfour' };
    const theirs = { ...by, op: '1', value: { plan: 'ONE\ntwo\nthree\nfour' } };
    const mine = { ...by, op: '2', value: { plan: 'one\ntwo\nthree\nFOUR' } };
    expect(mergeWrite({ rule: 'three_way', base, theirs, mine })).toEqual({
      value: { plan: 'ONE\ntwo\nthree\nFOUR' },
      dropped: null,
      conflict: false,
    });
    expect(mergeWrite({ rule: 'three_way', type: 'structured', base, theirs, mine })).toMatchObject(
      {
        value: theirs.value,
        dropped: { '/plan': mine.value.plan },
      },
    );
  });
});
