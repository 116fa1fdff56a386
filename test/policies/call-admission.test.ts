import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CallAdmission } from '../../src/policies/call-admission.ts';
import type { Call, ProviderLimits } from '../../src/policies/call-admission.ts';
import { seededRandom } from '../../src/core/random.ts';

type Id = number;

/** Time moves only by the admission's own wake, as a gate has it. */
class Driver {
  now = 0;
  readonly admission: CallAdmission<Id>;
  readonly out: { id: Id; at: number; tokens: number; call: Call<Id> }[] = [];

  constructor(limits: ProviderLimits) {
    this.admission = new CallAdmission(limits, seededRandom(1));
  }

  pump(): Id[] {
    const admitted = this.admission.admit(this.now);
    for (const call of admitted)
      this.out.push({ id: call.owner, at: this.now, tokens: call.tokens, call });
    return admitted.map(({ owner }) => owner);
  }

  /** Moves to the next time at which something may go out. */
  step(): boolean {
    if (this.admission.wakeAt === Infinity) return false;
    expect(this.admission.wakeAt).toBeGreaterThan(this.now);
    this.now = this.admission.wakeAt;
    this.pump();
    return true;
  }
}

const most = (
  times: readonly { at: number; tokens: number }[],
  of: 'requests' | 'tokens',
): number =>
  Math.max(
    0,
    ...times.map(({ at }) =>
      times
        .filter((other) => other.at >= at && other.at < at + 60_000)
        .reduce((sum, { tokens }) => sum + (of === 'requests' ? 1 : tokens), 0),
    ),
  );

describe('the admission of calls to a provider', () => {
  it('keeps both rates in any minute, loses no call and leaks no place', () => {
    fc.assert(
      fc.property(
        fc.record({
          requests: fc.integer({ min: 1, max: 12 }),
          tokens: fc.integer({ min: 50, max: 200 }),
          max: fc.integer({ min: 1, max: 6 }),
        }),
        fc.array(
          fc.record({
            tokens: fc.nat(50),
            priority: fc.integer({ min: 1, max: 10 }),
            takesMs: fc.nat(90_000),
            end: fc.constantFrom('ok', 'ok', 'ok', 'limited', 'overloaded', 'failed'),
            withdrawn: fc.nat(9),
            model: fc.constantFrom(undefined, 'm', 'unknown'),
          }),
          { minLength: 1, maxLength: 60 },
        ),
        ({ requests, tokens, max }, calls) => {
          const driver = new Driver({
            requestsPerMinute: requests,
            tokensPerMinute: tokens,
            concurrency: { max },
            models: { m: { requestsPerMinute: Math.max(1, requests - 2) } },
          });
          const { admission } = driver;
          const waiting = calls.map((call, id) => admission.request(id, call, 0));
          const lost = new Set<Id>();
          calls.forEach(({ withdrawn }, id) => {
            if (withdrawn !== 0) return;
            admission.withdraw(waiting[id] as Call<Id>);
            admission.withdraw(waiting[id] as Call<Id>);
            lost.add(id);
          });
          const running: { id: Id; until: number }[] = [];
          const begin = (ids: readonly Id[]): void => {
            for (const id of ids)
              running.push({ id, until: driver.now + (calls[id]?.takesMs ?? 0) });
            expect(admission.inFlight).toBe(running.length);
            expect(admission.inFlight).toBeLessThanOrEqual(max);
          };
          begin(driver.pump());
          for (
            let turn = 0;
            turn < 10_000 && driver.out.length + lost.size < calls.length;
            turn++
          ) {
            running.sort((a, b) => a.until - b.until);
            const [first] = running;
            const wake = admission.wakeAt;
            expect(first !== undefined || wake < Infinity).toBe(true);
            if (first && first.until <= wake) {
              running.shift();
              driver.now = Math.max(driver.now, first.until);
              const call = waiting[first.id] as Call<Id>;
              admission.end(call, { end: calls[first.id]?.end ?? 'ok' }, driver.now);
              admission.end(call, { end: 'ok' }, driver.now);
            } else driver.now = wake;
            begin(driver.pump());
          }
          expect(driver.out.length).toBe(calls.length - lost.size);
          expect(admission.waiting).toBe(0);
          expect(most(driver.out, 'requests')).toBeLessThanOrEqual(requests);
          expect(most(driver.out, 'tokens')).toBeLessThanOrEqual(tokens);
          const ofModel = driver.out.filter(({ id }) => calls[id]?.model === 'm');
          expect(most(ofModel, 'requests')).toBeLessThanOrEqual(Math.max(1, requests - 2));
        },
      ),
      { numRuns: 200 },
    );
  });

  it('goes by priority, then by arrival, and lets nobody wait for ever', () => {
    const driver = new Driver({ requestsPerMinute: 1 });
    driver.admission.request(0, { priority: 5 }, 0);
    driver.pump();
    driver.admission.request(1, { priority: 1 }, 0);
    driver.admission.request(2, { priority: 5 }, 0);
    driver.admission.request(3, { priority: 5 }, 0);
    driver.pump();
    for (let id = 4; id < 20; id++) {
      driver.step();
      driver.admission.request(id, { priority: 9 }, driver.now);
    }
    const order = driver.out.map(({ id }) => id);
    expect(order.slice(0, 2)).toEqual([0, 2]);
    expect(order.indexOf(3)).toBeGreaterThan(order.indexOf(2));
    expect(order).toContain(1);
  });

  it('lets calls of other models pass one whose own limit is used up', () => {
    const driver = new Driver({ models: { big: { requestsPerMinute: 1 } } });
    driver.admission.request(0, { priority: 5, model: 'big' }, 0);
    driver.admission.request(1, { priority: 5, model: 'big' }, 0);
    driver.admission.request(2, { priority: 5, model: 'small' }, 0);
    expect(driver.pump()).toEqual([0, 2]);
  });

  it('pauses everybody after a refusal, and lets them come back one by one', () => {
    const driver = new Driver({ concurrency: { initial: 4 } });
    const calls = [0, 1, 2, 3].map((id) => driver.admission.request(id, { priority: 5 }, 0));
    driver.pump();
    for (const call of calls)
      driver.admission.end(call, { end: 'overloaded', retryAfterMs: 20_000 }, 100);
    for (let id = 4; id < 12; id++) driver.admission.request(id, { priority: 5 }, 100);
    driver.now = 100;
    expect(driver.pump()).toEqual([]);
    expect(driver.admission.stateAt(100)).toBe('paused');
    while (driver.step()) continue;
    const after = driver.out.slice(4).map(({ at }) => at);
    expect(after[0]).toBeGreaterThanOrEqual(20_100);
    expect(new Set(after).size).toBe(after.length);
  });

  it('learns a limit that nobody has declared, and how it changes', () => {
    const driver = new Driver({ requestsPerMinute: 60, concurrency: { min: 100 } });
    const { admission } = driver;
    let real = 60;
    let id = 0;
    const accepted: number[] = [];
    const perMinute: { [minute: number]: { good: number; bad: number } } = {};
    const ask = (): void => void admission.request(id++, { priority: 5 }, driver.now);
    for (let first = 0; first < 200; first++) ask();
    const serve = (): void => {
      for (const { call } of driver.out.splice(0)) {
        while (accepted[0] !== undefined && accepted[0] <= driver.now - 60_000) accepted.shift();
        const isGood = accepted.length < real;
        if (isGood) accepted.push(driver.now);
        const row = (perMinute[Math.floor(driver.now / 60_000)] ??= { good: 0, bad: 0 });
        row[isGood ? 'good' : 'bad']++;
        admission.end(
          call,
          isGood ? { end: 'ok' } : { end: 'limited', retryAfterMs: 1_000 },
          driver.now,
        );
        ask();
      }
    };
    for (let minute = 0; minute < 40; minute++) {
      real = minute >= 5 && minute < 20 ? 30 : 60;
      while (driver.now < (minute + 1) * 60_000) {
        driver.pump();
        serve();
        driver.now += 500;
      }
    }
    const sum = (from: number, to: number, of: 'good' | 'bad'): number => {
      let total = 0;
      for (let minute = from; minute < to; minute++) total += perMinute[minute]?.[of] ?? 0;
      return total;
    };
    expect(sum(0, 5, 'bad')).toBe(0);
    // Halved: nearly all of it is used, and refusals stay few.
    expect(sum(7, 20, 'good')).toBeGreaterThan(0.85 * 13 * 30);
    expect(sum(7, 20, 'bad')).toBeLessThan(0.2 * 13 * 30);
    // Doubled again: found within a few minutes.
    expect(sum(25, 40, 'good')).toBeGreaterThan(0.95 * 15 * 60);
    expect(sum(25, 40, 'bad')).toBe(0);
  });

  it('keeps a share of its limits for itself when it is told to', () => {
    const driver = new Driver({ requestsPerMinute: 10 });
    driver.admission.setShare({ requests: 2, tokens: Infinity });
    for (let id = 0; id < 6; id++) driver.admission.request(id, { priority: 5 }, 0);
    expect(driver.pump()).toEqual([0, 1]);
    driver.admission.setShare({ requests: 0, tokens: Infinity });
    expect(driver.pump()).toEqual([]);
    expect(driver.admission.wakeAt).toBe(Infinity);
    driver.admission.setShare({ requests: 5, tokens: Infinity });
    expect(driver.pump()).toEqual([2, 3, 4]);
  });
});
