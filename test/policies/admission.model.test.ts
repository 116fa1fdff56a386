import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AdmissionQueue, type PermitRequest } from '../../src/policies/admission.ts';
import type { Claim } from '../../src/policies/fair-share.ts';
import type { ScheduleClass } from '../../src/workflow/model.ts';

const processCapacity: Record<string, number> = { concurrency: 4, gpu: 3 };
const scopeCapacity: Record<string, Record<string, number>> = {
  narrow: { concurrency: 2, cpu: 3 },
  wide: { cpu: 5, gpu: 2 },
  slow: { cpu: 3 },
  quick: { cpu: 4, concurrency: 3 },
};
const claims: Record<string, Claim> = {
  narrow: { weight: 1, class: 'normal' },
  wide: { weight: 2, class: 'normal' },
  slow: { weight: 1, class: 'batch' },
  quick: { weight: 0.5, class: 'interactive' },
};
const classes: readonly ScheduleClass[] = ['interactive', 'normal', 'batch'];
const agePeriodMs = 10;

type Waiting = PermitRequest & { sequence: number; since: number };

/** The same rules without any cleverness: look at everything again for every single admission. */
class NaiveQueue {
  waiting: Waiting[] = [];
  held: PermitRequest[] = [];
  private latest = -Infinity;
  private sequence = 0;
  private readonly passed = { interactive: 0, normal: 0, batch: 0 };

  request(request: PermitRequest): void {
    const known = [...this.waiting, ...this.held].some(
      ({ id, scope }) => id === request.id && scope === request.scope,
    );
    if (known) return;
    this.latest = Math.max(this.latest, request.at);
    this.waiting.push({ ...request, sequence: this.sequence++, since: this.latest });
  }

  admit(now: number): PermitRequest[] {
    this.latest = Math.max(this.latest, now);
    const admitted: PermitRequest[] = [];
    for (let next = this.next(); next; next = this.next()) {
      this.waiting = this.waiting.filter((request) => request !== next);
      this.held.push(next);
      admitted.push(next);
      this.pass(claims[next.scope]?.class ?? 'normal');
    }
    return admitted;
  }

  private pass(taken: ScheduleClass): void {
    this.passed[taken] = 0;
    for (const lower of classes.slice(classes.indexOf(taken) + 1)) {
      if (this.before.some(({ scope }) => claims[scope]?.class === lower)) this.passed[lower]++;
    }
  }

  /** Whoever could start as far as its own run is concerned, before the last admission. */
  private before: Waiting[] = [];

  private next(): Waiting | undefined {
    this.before = this.waiting.filter((request) => this.fitsOwn(request));
    const able = this.before.filter((request) => this.fitsProcess(request));
    const there = classes.filter((name) => able.some(({ scope }) => claims[scope]?.class === name));
    const turn = there.find((name, rank) => rank > 0 && this.passed[name] >= 8) ?? there[0];
    const [first] = able
      .filter(({ scope }) => claims[scope]?.class === turn)
      .toSorted(
        (a, b) =>
          this.shareWith(a) - this.shareWith(b) ||
          virtualStart(a) - virtualStart(b) ||
          a.sequence - b.sequence,
      );
    const effective = (r: Waiting): number =>
      r.priority + Math.floor((this.latest - r.since) / agePeriodMs);
    return able
      .filter(({ scope }) => scope === first?.scope)
      .toSorted(
        (a, b) => effective(b) - effective(a) || b.rank - a.rank || a.sequence - b.sequence,
      )[0];
  }

  private shareWith({ scope, demand }: PermitRequest): number {
    const more: Record<string, number> = { ...demand, concurrency: 1 };
    const parts = Object.entries(processCapacity).map(
      ([kind, units]) => (this.used(kind, scope) + (more[kind] ?? 0)) / units,
    );
    return Math.round((Math.max(...parts) / (claims[scope]?.weight ?? 1)) * 1e9);
  }

  drop(scope: string, id?: string): void {
    const keep = (r: PermitRequest): boolean =>
      r.scope !== scope || (id !== undefined && r.id !== id);
    this.held = this.held.filter(keep);
    if (id === undefined) this.waiting = this.waiting.filter(keep);
  }

  withdraw(scope: string, id: string): boolean {
    const before = this.waiting.length;
    this.waiting = this.waiting.filter((r) => r.scope !== scope || r.id !== id);
    return this.waiting.length < before;
  }

  used(kind: string, scope?: string): number {
    const units = (r: PermitRequest): number =>
      kind === 'concurrency' ? 1 : (r.demand[kind] ?? 0);
    return this.held
      .filter((r) => scope === undefined || r.scope === scope)
      .reduce((sum, r) => sum + units(r), 0);
  }

  private fitsProcess({ demand }: PermitRequest): boolean {
    return Object.entries({ ...demand, concurrency: 1 }).every(
      ([kind, units]) => this.used(kind) + units <= (processCapacity[kind] ?? Infinity),
    );
  }

  private fitsOwn({ demand, scope }: PermitRequest): boolean {
    return Object.entries({ ...demand, concurrency: 1 }).every(([kind, units]) => {
      const unnamed = processCapacity[kind] === undefined ? 1 : Infinity;
      return this.used(kind, scope) + units <= (scopeCapacity[scope]?.[kind] ?? unnamed);
    });
  }
}

/** A step of priority counts as much as a period of waiting. */
function virtualStart({ since, priority }: Waiting): number {
  return since - priority * agePeriodMs;
}

const scopes = fc.constantFrom(...Object.keys(scopeCapacity));
const taskIds = fc.integer({ min: 0, max: 25 }).map((n) => `t${n}`);
const demands = fc.constantFrom<Record<string, number>>(
  {},
  { cpu: 1 },
  { cpu: 2 },
  { cpu: 3 },
  { gpu: 1 },
  { cpu: 1, gpu: 2 },
  { lock: 1 },
);
const events = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('request' as const),
      id: taskIds,
      scope: scopes,
      demand: demands,
      priority: fc.integer({ min: 1, max: 4 }),
      rank: fc.integer({ min: 0, max: 3 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('release' as const), id: taskIds, scope: scopes }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('withdraw' as const), id: taskIds, scope: scopes }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('admit' as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('pass' as const),
      ms: fc.integer({ min: -25, max: 25 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('remove' as const), scope: scopes }) },
);

/** Both queues go through the same events; every answer is compared where it is given. */
class Pair {
  readonly real = new AdmissionQueue({ capacity: processCapacity, agePeriodMs });
  readonly naive = new NaiveQueue();
  private now = 0;

  constructor() {
    for (const [scope, capacity] of Object.entries(scopeCapacity))
      this.real.setScope(scope, capacity, claims[scope]);
  }

  apply(event: typeof events extends fc.Arbitrary<infer E> ? E : never): void {
    const { real, naive } = this;
    if (event.do === 'pass') this.now += event.ms;
    else if (event.do === 'admit') this.admit();
    else if (event.do === 'remove') this.remove(event.scope);
    else if (event.do === 'request') {
      const request = { ...event, at: this.now };
      real.request(request);
      naive.request(request);
    } else if (event.do === 'release') {
      const held = naive.held.some(({ scope, id }) => scope === event.scope && id === event.id);
      expect(real.release(event.scope, event.id)).toBe(held);
      naive.drop(event.scope, event.id);
    } else {
      expect(real.withdraw(event.scope, event.id)).toBe(naive.withdraw(event.scope, event.id));
    }
    this.compare();
  }

  private admit(): void {
    const name = ({ scope, id }: PermitRequest): string => `${scope} ${id}`;
    expect(this.real.admit(this.now).map(name)).toEqual(this.naive.admit(this.now).map(name));
  }

  private remove(scope: string): void {
    this.real.removeScope(scope);
    this.real.setScope(scope, scopeCapacity[scope] ?? {}, claims[scope]);
    this.naive.drop(scope);
  }

  private compare(): void {
    const { real, naive } = this;
    expect(real.waiting()).toBe(naive.waiting.length);
    for (const scope of [undefined, ...Object.keys(scopeCapacity)]) {
      const inUse = real.inUse(scope);
      for (const kind of ['concurrency', 'cpu', 'gpu', 'lock'])
        expect(inUse[kind] ?? 0).toBe(naive.used(kind, scope));
      const limits = scope === undefined ? processCapacity : (scopeCapacity[scope] ?? {});
      for (const [kind, limit] of Object.entries(limits))
        expect(inUse[kind] ?? 0).toBeLessThanOrEqual(limit);
    }
  }
}

// Histories are too short for a reservation, which has a test of its own.
test('it admits what looking at everything each time would admit, and leaks nothing', () => {
  fc.assert(
    fc.property(fc.array(events, { maxLength: 60, size: 'max' }), (history) => {
      const pair = new Pair();
      for (const event of history) pair.apply(event);
      for (const scope of Object.keys(scopeCapacity)) pair.real.removeScope(scope);
      expect(pair.real.inUse()).toEqual({});
      expect(pair.real.waiting()).toBe(0);
    }),
    { numRuns: 250 },
  );
});

const later = fc.record({
  afterMs: fc.integer({ min: 0, max: 5 }),
  priority: fc.integer({ min: 1, max: 10 }),
  rank: fc.nat(100),
});

test('a request is never overtaken by a later one of the same demand whose priority its age outweighs', () => {
  fc.assert(
    fc.property(fc.array(later, { minLength: 40, maxLength: 120 }), (stream) => {
      const queue = new AdmissionQueue({ capacity: { concurrency: 1 }, agePeriodMs });
      queue.setScope('run', {});
      queue.request({ id: 'first', scope: 'run', demand: {}, priority: 1, rank: 0, at: 0 });
      const order: { id: string; at: number }[] = [];
      let now = 0;
      for (const [index, { afterMs, priority, rank }] of stream.entries()) {
        now += afterMs;
        queue.request({ id: `${index}`, scope: 'run', demand: {}, priority, rank, at: now });
        const [admitted] = queue.admit(now);
        if (admitted) order.push(admitted);
        queue.release('run', admitted?.id ?? '');
      }
      const before = order.slice(
        0,
        order.findIndex(({ id }) => id === 'first'),
      );
      // Nine priorities apart and rank against it: ten periods of age outweigh everything.
      for (const { at } of before) expect(at).toBeLessThan(10 * agePeriodMs);
      if (now >= 10 * agePeriodMs) expect(order.map(({ id }) => id)).toContain('first');
    }),
  );
});
