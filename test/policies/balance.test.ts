import { describe, expect, test } from 'vitest';
import {
  isHealthy,
  leastLoaded,
  newMember,
  noteEnd,
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
