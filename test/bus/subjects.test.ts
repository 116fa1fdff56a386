import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkSubject, escapeToken, unescapeToken } from '../../src/bus/subject-grammar.ts';
import {
  ctlSubject,
  liveSubject,
  memorySubject,
  parseSubject,
  subjectOf,
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
