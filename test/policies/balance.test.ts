import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  distribute,
  isHealthy,
  leastLoaded,
  newMember,
  noteEnd,
  steal,
  type Member,
} from '../../src/policies/balance.ts';

function member(id: string, more: Partial<Member> = {}): Member {
  return { ...newMember(id, Infinity), ...more };
}

const choice = (members: readonly Member[], avoid?: string): string | undefined =>
  leastLoaded(members, { now: 0, avoid })?.id;

describe('the least loaded member', () => {
  test('is the first of equal ones', () => {
    expect(choice([member('a'), member('b')])).toBe('a');
  });

  test('is the one that will presumably be through first', () => {
    const quick = member('quick', { responseMs: 100, inFlight: 3 });
    const slow = member('slow', { responseMs: 500 });
    expect(choice([slow, quick])).toBe('quick');
    expect(choice([slow, { ...quick, inFlight: 5 }])).toBe('slow');
  });

  test('may be one that has not answered yet: it counts as fast as the others are', () => {
    expect(choice([member('a', { responseMs: 10, inFlight: 1 }), member('new')])).toBe('new');
    expect(choice([member('a', { responseMs: 10 }), member('new', { inFlight: 1 })])).toBe('a');
  });

  test('is never one that is full', () => {
    const full = { ...newMember('full', 2), inFlight: 2, responseMs: 1 };
    expect(choice([full, member('b', { responseMs: 1000 })])).toBe('b');
    expect(choice([full])).toBeUndefined();
  });

  test('is another than the one that has just failed, unless there is no other', () => {
    expect(choice([member('a'), member('b', { inFlight: 9 })], 'a')).toBe('b');
    expect(choice([member('a')], 'a')).toBe('a');
  });

  test('is a healthy one, and an unhealthy one only when nothing else is left', () => {
    const sick = member('sick', { failuresInARow: 3, failedAt: 0 });
    expect(leastLoaded([sick, member('b', { inFlight: 99 })], { now: 1 })?.id).toBe('b');
    expect(leastLoaded([sick], { now: 1 })?.id).toBe('sick');
  });
});

describe('health', () => {
  const end = (sick: Member, how: 'succeeded' | 'failed' | 'withdrawn', now: number): void => {
    sick.inFlight++;
    noteEnd(sick, { end: how, durationMs: 10, now });
  };

  test('is lost by failures in a row, and tried again with one piece of work after a rest', () => {
    const sick = member('a');
    end(sick, 'failed', 0);
    end(sick, 'failed', 1);
    end(sick, 'withdrawn', 1);
    expect(isHealthy(sick, 2)).toBe(true);
    end(sick, 'failed', 2);
    expect(isHealthy(sick, 3)).toBe(false);
    expect(isHealthy(sick, 30_002)).toBe(true);
    sick.inFlight++;
    expect(isHealthy(sick, 30_002)).toBe(false);
    noteEnd(sick, { end: 'succeeded', durationMs: 5, now: 30_010 });
    expect(isHealthy(sick, 30_011)).toBe(true);
  });

  test('a fast failure does not make a member look fast', () => {
    const failing = member('a', { responseMs: 100 });
    end(failing, 'failed', 0);
    expect(failing.responseMs).toBe(100);
    end(failing, 'succeeded', 0);
    expect(failing.responseMs).toBeCloseTo(73);
  });
});

describe('stealing', () => {
  test('takes half from the one that would be through last', () => {
    const idle = member('idle');
    const backlogs = [
      { member: idle, waiting: 0 },
      { member: member('many', { responseMs: 10, inFlight: 1, capacity: 1 }), waiting: 5 },
      { member: member('slow', { responseMs: 100, inFlight: 1, capacity: 1 }), waiting: 3 },
    ];
    expect(steal(idle, backlogs)).toEqual({ from: 'slow', count: 2 });
  });

  test('takes nothing where nothing waits', () => {
    const idle = member('idle');
    expect(steal(idle, [{ member: member('busy', { inFlight: 3 }), waiting: 0 }])).toBeUndefined();
  });
});

describe('sharing out beforehand', () => {
  const loadsOf = (
    shares: readonly (readonly string[])[],
    pieces: readonly { id: string; complexity: number }[],
  ): number[] => {
    const sizes = new Map(pieces.map(({ id, complexity }) => [id, complexity]));
    return shares.map((ids) => ids.reduce((sum, id) => sum + (sizes.get(id) ?? NaN), 0));
  };

  test('gives the largest first, each to whoever has least', () => {
    const pieces = [3, 7, 5, 5, 2].map((complexity, index) => ({ id: `p${index}`, complexity }));
    expect(distribute(pieces, 2)).toEqual([
      ['p1', 'p0', 'p4'],
      ['p2', 'p3'],
    ]);
  });

  test('meets its worst case exactly: 4/3 - 1/(3m) of the best', () => {
    const complexities = [5, 5, 4, 4, 3, 3, 3];
    const pieces = complexities.map((complexity, index) => ({ id: `${index}`, complexity }));
    expect(Math.max(...loadsOf(distribute(pieces, 3), pieces))).toBe(11);
  });

  test('shares everything out once, and never further apart than the largest piece', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 100 }), { maxLength: 60 }),
        fc.integer({ min: 1, max: 12 }),
        (complexities, members) => {
          const pieces = complexities.map((complexity, index) => ({ id: `${index}`, complexity }));
          const shares = distribute(pieces, members);
          expect(shares.flat().toSorted()).toEqual(pieces.map(({ id }) => id).toSorted());
          const loads = loadsOf(shares, pieces);
          const apart = Math.max(...loads) - Math.min(...loads);
          expect(apart).toBeLessThanOrEqual(Math.max(0, ...complexities));
        },
      ),
    );
  });
});
