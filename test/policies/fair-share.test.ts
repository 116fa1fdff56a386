import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AdmissionQueue, type PermitRequest } from '../../src/policies/admission.ts';
import type { Claim } from '../../src/policies/fair-share.ts';
import { passesBeforeReserving } from '../../src/policies/reservation.ts';

interface User {
  readonly demand: Record<string, number>;
  readonly tasks: number;
  readonly claim?: Claim;
}

/** What each user holds when everybody has asked for everything at one time. */
function held(capacity: Record<string, number>, users: readonly User[]): number[] {
  const queue = new AdmissionQueue({ capacity, agePeriodMs: 1000 });
  for (const [index, { demand, tasks, claim }] of users.entries()) {
    queue.setScope(`${index}`, {}, claim);
    for (let task = 0; task < tasks; task++) {
      const request = { id: `${task}`, scope: `${index}`, demand, priority: 5, rank: 0, at: 0 };
      queue.request(request);
    }
  }
  const counts = users.map(() => 0);
  for (const { scope } of queue.admit(0)) counts[Number(scope)] = (counts[Number(scope)] ?? 0) + 1;
  return counts;
}

describe('shares that are known', () => {
  test.each([
    {
      capacity: 10,
      unit: 0.1,
      demands: [2, 2.6, 4, 5],
      weights: [1, 1, 1, 1],
      shares: [2, 2.6, 2.7, 2.7],
    },
    {
      capacity: 16,
      unit: 0.5,
      demands: [4, 2, 10, 4],
      weights: [2.5, 4, 0.5, 1],
      shares: [4, 2, 6, 4],
    },
    {
      capacity: 12,
      unit: 1 / 7,
      demands: [12, 12, 12],
      weights: [4, 2, 1],
      shares: [6.857143, 3.428571, 1.714286],
    },
    { capacity: 10, unit: 1, demands: [1, 20], weights: [1, 1], shares: [1, 9] },
  ])(
    'weighted max-min: $demands of $capacity under the weights $weights is $shares',
    ({ capacity, unit, demands, weights, shares }) => {
      const users = demands.map((demand, index) => ({
        demand: { cpu: unit },
        tasks: Math.round(demand / unit),
        claim: { weight: weights[index] },
      }));
      const counts = held({ concurrency: 1e6, cpu: capacity }, users);
      for (const [index, share] of shares.entries())
        expect((counts[index] ?? 0) * unit).toBeCloseTo(share, 6);
    },
  );

  test('dominant resources in whole tasks: three of one cpu and four of memory beside two of three cpu', () => {
    const users = [
      { demand: { cpu: 1, memory: 4 }, tasks: 50 },
      { demand: { cpu: 3, memory: 1 }, tasks: 50 },
    ];
    expect(held({ concurrency: 1e6, cpu: 9, memory: 18 }, users)).toEqual([3, 2]);
  });
});

/** Requests of several runs, each asking again as soon as one of its own ends: what the classes get of the turns. */
function turnsOf(claims: readonly Claim[], turns: number): number[] {
  const queue = new AdmissionQueue({ capacity: { concurrency: 1 }, agePeriodMs: 1000 });
  for (const [index, claim] of claims.entries()) queue.setScope(`${index}`, {}, claim);
  const counts = claims.map(() => 0);
  const ask = (scope: string, at: number): void =>
    queue.request({ id: `${at}`, scope, demand: {}, priority: 5, rank: 0, at });
  for (const index of claims.keys()) ask(`${index}`, 0);
  for (let turn = 1; turn <= turns; turn++) {
    const [next] = queue.admit(turn);
    if (!next) break;
    counts[Number(next.scope)] = (counts[Number(next.scope)] ?? 0) + 1;
    queue.release(next.scope, next.id);
    ask(next.scope, turn);
  }
  return counts;
}

describe('classes', () => {
  test('a higher class goes first, and a lower one keeps a part', () => {
    const [batch = 0, interactive = 0] = turnsOf(
      [{ class: 'batch' }, { class: 'interactive' }],
      900,
    );
    expect(interactive + batch).toBe(900);
    expect(batch / 900).toBeGreaterThanOrEqual(1 / 9 - 0.01);
    expect(batch / 900).toBeLessThan(1 / 6);
  });

  test('each of three classes has its turns', () => {
    const [batch = 0, normal = 0, interactive = 0] = turnsOf(
      [{ class: 'batch' }, { class: 'normal' }, { class: 'interactive' }],
      1000,
    );
    expect(interactive).toBeGreaterThan(700);
    expect(normal).toBeGreaterThan(80);
    expect(batch).toBeGreaterThan(80);
  });

  test.each([0, -1, Number.NaN, Infinity])(
    'a share of %s is refused, and changes nothing',
    (weight) => {
      const queue = new AdmissionQueue({ capacity: { concurrency: 1 }, agePeriodMs: 1 });
      expect(() => queue.setScope('run', {}, { weight })).toThrow(
        expect.objectContaining({ code: 'TRP_OPTION_INVALID' }),
      );
    },
  );
});

/** A stream of small requests that never leaves enough free for the large one. */
function passedBy(options: { own: boolean; newRuns: boolean }): number {
  const capacity = options.own ? { concurrency: 99 } : { concurrency: 99, gpu: 4 };
  const queue = new AdmissionQueue({ capacity, agePeriodMs: 1000 });
  queue.setScope('run', { gpu: 4 });
  const running: PermitRequest[] = [];
  const ask = (scope: string, id: string, units: number): void =>
    queue.request({ id, scope, demand: { gpu: units }, priority: 5, rank: 0, at: running.length });
  for (let index = 0; index < 4; index++) ask('run', `first ${index}`, 1);
  running.push(...queue.admit(0));
  ask('run', 'large', 4);
  for (let passed = 0; passed < 1000; passed++) {
    const scope = options.newRuns ? `run ${passed}` : 'run';
    if (options.newRuns) queue.setScope(scope, {});
    ask(scope, `small ${passed}`, 1);
    const over = running[passed];
    if (over) queue.release(over.scope, over.id);
    const admitted = queue.admit(running.length);
    if (admitted.some(({ id }) => id === 'large')) return passed;
    running.push(...admitted);
  }
  return Infinity;
}

describe('a large request that small ones always slip past', () => {
  test.each([
    ['of its own run, for a kind of the run', { own: true, newRuns: false }],
    ['of its own run, for a kind of the process', { own: false, newRuns: false }],
    ['of one new run after the other', { own: false, newRuns: true }],
  ])('%s, is passed a bounded number of times', (_what, options) => {
    const passed = passedBy(options);
    expect(passed).toBeGreaterThan(4);
    expect(passed).toBeLessThanOrEqual(2 * passesBeforeReserving + 8);
  });

  test('keeps only what it lacks: others go on with the rest', () => {
    const queue = new AdmissionQueue({ capacity: { concurrency: 999 }, agePeriodMs: 1000 });
    queue.setScope('run', { gpu: 2, cpu: 1000 });
    const ask = (id: string, demand: Record<string, number>): void =>
      queue.request({ id, scope: 'run', demand, priority: 5, rank: 0, at: 0 });
    ask('holder', { gpu: 1 });
    queue.admit(0);
    ask('large', { gpu: 2, cpu: 1 });
    for (let index = 0; index < 100; index++) ask(`cpu ${index}`, { cpu: 1 });
    expect(queue.admit(1)).toHaveLength(100);
    ask('small', { gpu: 1 });
    expect(queue.admit(2)).toEqual([]);
    queue.release('run', 'holder');
    expect(queue.admit(3).map(({ id }) => id)).toEqual(['large']);
  });

  test('a writer among readers takes all units, and new readers do not pass it for ever', () => {
    const readers = 8;
    const queue = new AdmissionQueue({ capacity: { concurrency: 999 }, agePeriodMs: 1000 });
    queue.setScope('run', { 'lock:memory': readers });
    let asked = 0;
    const read = (): void =>
      queue.request({
        id: `r${asked++}`,
        scope: 'run',
        demand: { 'lock:memory': 1 },
        priority: 5,
        rank: 9,
        at: 0,
      });
    for (let index = 0; index < readers; index++) read();
    const running = queue.admit(0);
    queue.request({
      id: 'w',
      scope: 'run',
      demand: { 'lock:memory': readers },
      priority: 5,
      rank: 10,
      at: 0,
    });
    let written = -1;
    for (let turn = 0; turn < 200 && written < 0; turn++) {
      read();
      const over = running.shift();
      if (over) queue.release('run', over.id);
      const admitted = queue.admit(turn);
      if (admitted.some(({ id }) => id === 'w')) written = turn;
      running.push(...admitted);
    }
    expect(written).toBeGreaterThan(0);
    expect(written).toBeLessThanOrEqual(passesBeforeReserving + readers + 1);
  });
});

const backlog = 10;
const kinds = ['cpu', 'gpu', 'lock'] as const;
const arrivals = fc.record({
  scope: fc.integer({ min: 0, max: 3 }),
  fresh: fc.boolean(),
  demand: fc.dictionary(fc.constantFrom(...kinds), fc.integer({ min: 1, max: 3 }), { maxKeys: 3 }),
  priority: fc.integer({ min: 1, max: 10 }),
  rank: fc.nat(9),
});
const claims: readonly Claim[] = [
  {},
  { weight: 4 },
  { class: 'interactive' },
  { class: 'batch', weight: 0.5 },
];

test('nobody starves: whatever keeps arriving, each request starts after a bounded number of releases', () => {
  fc.assert(
    fc.property(
      fc.array(arrivals, { minLength: 5, maxLength: 20 }),
      fc.integer({ min: 1, max: 3 }),
      (pattern, concurrency) => {
        const queue = new AdmissionQueue({
          capacity: { concurrency, cpu: 3, gpu: 3 },
          agePeriodMs: 5,
        });
        for (const [index, claim] of claims.entries())
          queue.setScope(`${index}`, { lock: 3 }, claim);
        const since = new Map<string, number>();
        const running: PermitRequest[] = [];
        for (let turn = 0; turn < 1500; turn++) {
          const arrival = pattern[turn % pattern.length] as (typeof pattern)[number];
          // Somebody is always there who came later; the backlog is what bounds the wait.
          if (queue.waiting() < backlog) {
            const scope = arrival.fresh ? `new ${turn}` : `${arrival.scope}`;
            if (arrival.fresh) queue.setScope(scope, { lock: 3 }, claims[arrival.scope]);
            queue.request({ ...arrival, scope, id: `${turn}`, at: turn });
            since.set(`${turn}`, turn);
          }
          const over = running.shift();
          if (over) queue.release(over.scope, over.id);
          const admitted = queue.admit(turn);
          for (const { id } of admitted) since.delete(id);
          running.push(...admitted);
          const [longest = turn] = since.values();
          expect(turn - longest).toBeLessThanOrEqual(backlog * (passesBeforeReserving + 12));
        }
      },
    ),
    { numRuns: 20 },
  );
});
