import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { chooseDegree } from '../../src/policies/parallelism.ts';
import type { Capacity, Workload } from '../../src/policies/parallelism.ts';

const work: Workload = { width: 20, workMs: 20_000, pathMs: 1000, computing: 0, bytesPerTask: 0 };
const idle: Capacity = {
  cores: 4,
  eventLoopDelayMs: 0,
  memory: 0.1,
  freeBytes: Infinity,
  slowness: 1,
  queueDepth: 0,
};
const bounds = { min: 1, max: 1000 };
const degree = (
  workload: Partial<Workload>,
  capacity: Partial<Capacity> = {},
  range: Partial<typeof bounds> = {},
): number =>
  chooseDegree({ ...work, ...workload }, { ...idle, ...capacity }, { ...bounds, ...range }).degree;

const workloads = fc.record({
  width: fc.integer({ min: 1, max: 500 }),
  pathMs: fc.integer({ min: 0, max: 10_000 }),
  computing: fc.double({ min: 0, max: 1, noNaN: true }),
  bytesPerTask: fc.integer({ min: 0, max: 1_000_000 }),
  extraMs: fc.integer({ min: 0, max: 1_000_000 }),
  deadlineMs: fc.option(fc.integer({ min: 0, max: 100_000 }), { nil: undefined }),
});
const capacities = fc.record({
  cores: fc.integer({ min: 1, max: 64 }),
  eventLoopDelayMs: fc.double({ min: 0, max: 500, noNaN: true }),
  memory: fc.double({ min: 0, max: 1, noNaN: true }),
  freeBytes: fc.integer({ min: 0, max: 100_000_000 }),
  slowness: fc.double({ min: 0.1, max: 10, noNaN: true }),
  queueDepth: fc.integer({ min: 0, max: 1000 }),
});
const withWork = ({ extraMs, ...rest }: { extraMs: number; pathMs: number }): Workload =>
  ({ ...rest, workMs: rest.pathMs + extraMs }) as Workload;

describe('the degree of parallelism', () => {
  it('is what can run together, as long as there is room and it pays', () => {
    expect(degree({})).toBe(20);
    expect(degree({ width: 3 })).toBe(3);
    expect(degree({ width: 500, workMs: 2000 })).toBe(10);
    expect(degree({ width: 500 }, { cores: 2 })).toBe(32);
  });

  it('is what a deadline needs, even where fewer would pay', () => {
    expect(degree({ width: 500, workMs: 2000, deadlineMs: 1050 })).toBe(20);
    expect(degree({ width: 500, workMs: 2000, deadlineMs: 1_000_000 })).toBe(10);
  });

  it('is less for tasks that compute, that hold much memory, or that cost much', () => {
    expect(degree({ computing: 1 })).toBe(8);
    expect(degree({ bytesPerTask: 100 }, { freeBytes: 750 })).toBe(7);
    expect(degree({ cost: { cap: 10, perTask: 3 } })).toBe(3);
  });

  it('backs off from a late event loop, a full memory, slow agents and the tasks of others', () => {
    const many = { width: 64 };
    expect(degree(many, { eventLoopDelayMs: 200 })).toBe(16);
    expect(degree(many, { memory: 0.9 })).toBe(16);
    expect(degree(many, { slowness: 2 })).toBe(32);
    expect(degree(many, { queueDepth: 64 })).toBe(32);
  });

  it('says why', () => {
    const chosen = chooseDegree(work, { ...idle, cores: 1, eventLoopDelayMs: 75 }, bounds);
    expect(chosen).toEqual({
      degree: 10,
      reasons: ['20 could run together', '10 fit on 1 core, the event loop is 75 ms late'],
    });
  });

  it('stays within its bounds, and is the same for the same', () => {
    fc.assert(
      fc.property(
        workloads,
        capacities,
        fc.integer({ min: 1, max: 50 }),
        fc.nat(50),
        (w, c, min, more) => {
          const range = { min, max: min + more };
          const chosen = chooseDegree(withWork(w), c, range);
          expect(chosen.degree).toBeGreaterThanOrEqual(range.min);
          expect(chosen.degree).toBeLessThanOrEqual(range.max);
          expect(Number.isInteger(chosen.degree)).toBe(true);
          expect(chooseDegree(withWork(w), c, range)).toEqual(chosen);
        },
      ),
    );
  });

  it('is never lowered by more capacity, or by less pressure', () => {
    fc.assert(
      fc.property(workloads, capacities, capacities, (w, a, b) => {
        const least: Capacity = {
          cores: Math.min(a.cores, b.cores),
          freeBytes: Math.min(a.freeBytes, b.freeBytes),
          eventLoopDelayMs: Math.max(a.eventLoopDelayMs, b.eventLoopDelayMs),
          memory: Math.max(a.memory, b.memory),
          slowness: Math.max(a.slowness, b.slowness),
          queueDepth: Math.max(a.queueDepth, b.queueDepth),
        };
        const low = chooseDegree(withWork(w), least, bounds).degree;
        expect(chooseDegree(withWork(w), a, bounds).degree).toBeGreaterThanOrEqual(low);
      }),
    );
  });

  it('is never lowered by more that could run together, or by a nearer deadline', () => {
    fc.assert(
      fc.property(workloads, capacities, fc.nat(100), fc.nat(50_000), (w, c, wider, sooner) => {
        const before = chooseDegree(withWork(w), c, bounds).degree;
        const wide = { ...withWork(w), width: w.width + wider };
        expect(chooseDegree(wide, c, bounds).degree).toBeGreaterThanOrEqual(before);
        const deadlineMs = (w.deadlineMs ?? 100_000) - sooner;
        const near = { ...withWork(w), deadlineMs };
        expect(chooseDegree(near, c, bounds).degree).toBeGreaterThanOrEqual(before);
      }),
    );
  });
});
