import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { subjectKinds } from '../../src/bus/subject-table.ts';
import { checkSubject, escapeToken, unescapeToken } from '../../src/bus/subject-grammar.ts';
import {
  ctlSubject,
  liveSubject,
  memorySubject,
  bucketName,
  deadLetterSubject,
  logSubject,
  parseSubject,
  streamName,
  subjectOf,
  workConsumer,
  workSubject,
} from '../../src/bus/subjects.ts';

describe('subjects', () => {
  it('stand under one prefix, with what is no token escaped', () => {
    expect(liveSubject('main', 'run-1')).toBe('troupe.v1.main.live.run-1');
    expect(liveSubject('main', 'run-1', 'build[0]')).toBe('troupe.v1.main.live.run-1.build=5B0=5D');
    expect(ctlSubject('main', 'node-1')).toBe('troupe.v1.main.ctl.node-1');
    expect(memorySubject('main', 'r', 'parallel.results.a')).toBe(
      'troupe.v1.main.mem.r.parallel.results.a',
    );
  });

  it('of work, dead letters and logs hold pool, level and name, a token each', () => {
    expect(workSubject('main', 'review', 'p0')).toBe('troupe.v1.main.work.review.p0');
    expect(deadLetterSubject('main', 'a.b')).toBe('troupe.v1.main.dlq.a=2Eb');
    expect(logSubject('main', 'jrn', 'run-1')).toBe('troupe.v1.main.jrn.run-1');
    expect(workConsumer('a.b', 'p3')).toBe('a=2Eb_p3');
  });

  it('are taken apart into what they were made of', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 12 });
    fc.assert(
      fc.property(text, fc.array(text, { maxLength: 3 }), (ns, parts) => {
        const subject = subjectOf(ns, 'live', ...parts);
        expect(() => checkSubject(subject)).not.toThrow();
        expect(parseSubject(subject)).toEqual({ ns, kind: 'live', parts });
      }),
    );
  });

  it('of other products, kinds or spellings are not taken apart', () => {
    for (const subject of [
      'other.v1.a.live.b',
      'troupe.v2.a.live.b',
      'troupe.v1.a.nope.b',
      'troupe.v1.a',
      'troupe.v1.a.live.=5',
      'troupe.v1.a.live.=41',
    ]) {
      expect(parseSubject(subject), subject).toBeUndefined();
    }
  });

  it('are refused when they would be too long', () => {
    expect(() => liveSubject('main', 'r', '['.repeat(100))).toThrow(
      expect.objectContaining({ code: 'TRP_BUS_SUBJECT' }),
    );
  });
});

describe('carriers', () => {
  it('are named after the namespace', () => {
    expect(streamName('main', 'WORK')).toBe('TROUPE_main_WORK');
    expect(bucketName('main', 'mem')).toBe('troupe_main_mem');
  });

  it('of two namespaces never share a name', () => {
    const ns = fc.stringMatching(/^[a_-]{1,4}$/);
    const bucket = fc.stringMatching(/^[a-]{1,4}$/);
    fc.assert(
      fc.property(fc.tuple(ns, bucket), fc.tuple(ns, bucket), (one, other) => {
        const same = one[0] === other[0] && one[1] === other[1];
        expect(bucketName(...one) === bucketName(...other)).toBe(same);
      }),
      { numRuns: 1_000 },
    );
  });

  it.each(['', 'a.b', 'a b', 'ä', 'x'.repeat(65)])('are not named after %j', (name) => {
    const refused = expect.objectContaining({ code: 'TRP_BUS_SUBJECT' });
    expect(() => streamName(name, 'JRN')).toThrow(refused);
    expect(() => bucketName(name, 'mem')).toThrow(refused);
    expect(() => bucketName('main', name)).toThrow(refused);
  });

  it('take no bucket with an underscore, which could be part of another namespace', () => {
    expect(() => bucketName('a', 'b_c')).toThrow(
      expect.objectContaining({ code: 'TRP_BUS_SUBJECT' }),
    );
  });
});

describe('docs/subjects.md', () => {
  const page = readFileSync('docs/subjects.md', 'utf8');

  it('tells the table of the code, in the same order', () => {
    const [table = ''] = page.split('## Carriers');
    const rows = [...table.matchAll(/^\| (`.*) \|$/gm)].map(([, row = '']) =>
      row.split('|').map((cell) => cell.trim()),
    );
    expect(rows).toEqual(
      Object.entries(subjectKinds).map(([kind, row]) => [
        row.form
          .split(', ')
          .map((form) => `\`${kind}.${form}\``)
          .join(', '),
        row.carries,
        row.carrier,
        row.kept,
        row.writtenBy,
        row.readBy,
      ]),
    );
  });

  it('names streams and buckets as the code does', () => {
    for (const name of [streamName('NS', 'WORK'), bucketName('NS', 'x').replace(/x$/, '')])
      expect(page).toContain(name.replace('NS', '<ns>'));
  });
});

describe('escaped tokens', () => {
  it('are tokens, and come back as they were', () => {
    expect(escapeToken('a.b@c=d é')).toBe('a=2Eb=40c=3Dd=20=C3=A9');
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(escapeToken(text)).toMatch(/^[A-Za-z0-9_=-]+$/);
        expect(unescapeToken(escapeToken(text))).toBe(text);
      }),
    );
  });
});
