import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emptyQuota, renewedQuota, withoutProcess } from '../../src/policies/quota-slices.ts';
import type { QuotaRecord } from '../../src/policies/quota-slices.ts';
import { RateMeter } from '../../src/policies/rate-limit.ts';

/** A process of the model: it calls whenever its share allows, and lowers its share before it says so. */
class Process {
  readonly name: string;
  readonly meter = new RateMeter();
  share = 0;
  wants = 0;
  beat = 0;

  constructor(name: string) {
    this.name = name;
  }

  call(now: number, out: number[]): void {
    while (this.wants > 0 && this.meter.admissibleAt(1, this.share, now) <= now) {
      this.meter.take(1, now);
      this.wants--;
      out.push(now);
    }
  }

  renew(record: QuotaRecord, limit: number, now: number): QuotaRecord {
    const turn = {
      process: this.name,
      limits: { requests: limit, tokens: Infinity },
      used: { requests: this.meter.usedAt(now), tokens: 0 },
      hungry: this.wants > 0,
      dead: new Set<string>(),
      beat: ++this.beat,
    };
    const renewed = renewedQuota(record, turn);
    this.share = renewed.share.requests;
    return renewed.record;
  }
}

describe('slices of a shared quota', () => {
  it('never add up to more than the limit in any minute, whoever calls and renews when', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.array(
          fc.record({
            who: fc.nat(2),
            gapMs: fc.nat(9_000),
            wants: fc.nat(15),
            renews: fc.boolean(),
          }),
          { minLength: 1, maxLength: 120 },
        ),
        (limit, steps) => {
          const processes = ['a', 'b', 'c'].map((name) => new Process(name));
          let record = emptyQuota;
          let now = 0;
          const out: number[] = [];
          for (const { who, gapMs, wants, renews } of steps) {
            const process = processes[who] as Process;
            now += gapMs;
            process.wants += wants;
            if (renews) record = process.renew(record, limit, now);
            for (const any of processes) any.call(now, out);
            const held = Object.values(record.slices).reduce(
              (sum, { requests }) => sum + requests,
              0,
            );
            expect(held).toBeLessThanOrEqual(limit);
          }
          for (const at of out) {
            const inWindow = out.filter((other) => other >= at && other < at + 60_000).length;
            expect(inWindow).toBeLessThanOrEqual(limit);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it('give a single hungry process everything, and two of them a half each', () => {
    const [a, b] = [new Process('a'), new Process('b')];
    a.wants = b.wants = 1_000;
    const out: number[] = [];
    let record = a.renew(emptyQuota, 10, 0);
    expect(a.share).toBe(10);
    a.call(0, out);
    record = b.renew(record, 10, 1_000);
    expect(b.share).toBe(0);
    record = a.renew(record, 10, 2_000);
    expect(a.share).toBe(5);
    expect(record.slices['a']?.requests).toBe(10);
    record = a.renew(record, 10, 60_000);
    record = b.renew(record, 10, 60_001);
    expect([a.share, b.share]).toEqual([5, 5]);
    record = a.renew(withoutProcess(record, 'b'), 10, 60_002);
    expect(a.share).toBe(10);
  });

  it('leave a slice of a process that has died to the others', () => {
    const [a, b] = [new Process('a'), new Process('b')];
    a.wants = b.wants = 100;
    const record = a.renew(emptyQuota, 10, 0);
    const turn = {
      process: 'b',
      limits: { requests: 10, tokens: Infinity },
      used: { requests: 0, tokens: 0 },
      hungry: true,
      dead: new Set(['a']),
      beat: 1,
    };
    const { share, record: after } = renewedQuota(record, turn);
    expect(share.requests).toBe(10);
    expect(Object.keys(after.slices)).toEqual(['b']);
  });

  it('keep to the least limit that any of the processes knows', () => {
    const [a, b] = [new Process('a'), new Process('b')];
    a.wants = b.wants = 100;
    const record = a.renew(emptyQuota, 4, 0);
    b.renew(record, 100, 1);
    expect(a.share + b.share).toBeLessThanOrEqual(4);
  });
});
