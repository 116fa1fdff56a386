import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { adapt, freshMemo } from '../../src/policies/adaptation.ts';
import type {
  Adaptation,
  AdaptationMemo,
  AdaptationRules,
  Measured,
  Settings,
} from '../../src/policies/adaptation.ts';
import { adaptationActions } from '../../src/workflow/adaptation.ts';

const rules: AdaptationRules = {
  thresholds: { eventLoopDelayMs: 100, memory: 0.85, responseMs: 10_000, queueDepth: 3 },
  actions: adaptationActions,
  concurrency: { min: 1, max: 64 },
  maxTimeoutFactor: 2,
};
const calm: Measured = {
  eventLoopDelayMs: 0,
  memory: 0.2,
  responseMs: 1000,
  slowness: 1,
  queueDepth: 0,
  running: 8,
  progressing: false,
  groups: [],
};
const settings: Settings = { concurrency: 8, timeoutFactor: 1 };

/** What comes of the same sample, twice. */
function confirmed(
  measured: Partial<Measured>,
  { own = {}, given = {} }: { own?: Partial<AdaptationRules>; given?: Partial<Settings> } = {},
): Adaptation | undefined {
  const situation = {
    measured: { ...calm, ...measured },
    settings: { ...settings, ...given },
    rules: { ...rules, ...own },
  };
  const first = adapt(freshMemo, situation);
  expect(first.change).toBeUndefined();
  return adapt(first.memo, situation).change;
}

describe('adaptation', () => {
  it('raises concurrency when tasks wait and there is room', () => {
    expect(confirmed({ queueDepth: 10 })).toEqual({
      policy: 'concurrency',
      of: '',
      from: 8,
      to: 10,
      reason: '10 tasks wait, and the process has room',
    });
  });

  it('does not raise it above its bound, for a short queue, or while places are free', () => {
    expect(confirmed({ queueDepth: 3 })).toBeUndefined();
    expect(confirmed({ queueDepth: 10, running: 7 })).toBeUndefined();
    expect(
      confirmed({ queueDepth: 10 }, { own: { concurrency: { min: 1, max: 8 } } }),
    ).toBeUndefined();
  });

  it.each([
    ['the event loop is 150 ms late', { eventLoopDelayMs: 150 }],
    ['90% of the memory is in use', { memory: 0.9 }],
  ])('lowers concurrency when %s', (reason, measured) => {
    expect(confirmed(measured)).toMatchObject({ policy: 'concurrency', from: 8, to: 5, reason });
  });

  it('lowers it from what is in use, and never below its bound', () => {
    const late = { eventLoopDelayMs: 150 };
    expect(confirmed({ ...late, running: 4 })).toMatchObject({ from: 8, to: 2 });
    expect(confirmed(late, { own: { concurrency: { min: 6, max: 8 } } })).toMatchObject({ to: 6 });
    expect(confirmed(late, { own: { concurrency: { min: 8, max: 8 } } })).toBeUndefined();
  });

  it('narrows the group that runs the most members when attempts take too long', () => {
    const groups = [
      { id: 'a', running: 2, waiting: 9, limit: undefined },
      { id: 'b', running: 6, waiting: 0, limit: undefined },
    ];
    expect(confirmed({ responseMs: 12_000, groups })).toEqual({
      policy: 'group_size',
      of: 'b',
      from: null,
      to: 4,
      reason: 'attempts take 12 s, more than 10 s, with 6 members at one time',
    });
  });

  it('widens a narrowed group whose members wait while places are free', () => {
    const groups = [{ id: 'b', running: 4, waiting: 5, limit: 4 }];
    expect(confirmed({ running: 4, groups })).toMatchObject({
      policy: 'group_size',
      of: 'b',
      from: 4,
      to: 5,
    });
    expect(confirmed({ running: 8, groups })).toBeUndefined();
  });

  it('stretches timeouts within their factor, only for attempts that make progress and have slowed', () => {
    const slow = { responseMs: 12_000, slowness: 1.5, progressing: true };
    expect(confirmed(slow)).toMatchObject({ policy: 'timeouts', from: 1, to: 1.5 });
    expect(confirmed(slow, { given: { timeoutFactor: 1.5 } })).toMatchObject({ to: 2 });
    expect(confirmed(slow, { given: { timeoutFactor: 2 } })).toBeUndefined();
    expect(confirmed({ ...slow, progressing: false })).toBeUndefined();
    expect(confirmed({ ...slow, slowness: 1.1 })).toBeUndefined();
  });

  it('does only what it may', () => {
    expect(confirmed({ memory: 0.9 }, { own: { actions: ['timeouts'] } })).toBeUndefined();
    expect(confirmed({ queueDepth: 10 }, { own: { actions: ['group_sizes'] } })).toBeUndefined();
  });

  it('changes nothing between 80% of a threshold and the threshold', () => {
    expect(confirmed({ eventLoopDelayMs: 90, queueDepth: 100 })).toBeUndefined();
  });

  it('comes to rest under a load that answers to concurrency, whatever the process can take', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 64 }),
        fc.integer({ min: 1, max: 64 }),
        (can, start) => {
          const changes = follow(3000, start, ({ concurrency }) => ({
            running: concurrency,
            queueDepth: 100,
            eventLoopDelayMs: concurrency > can ? 400 : 0,
          }));
          // Ever rarer trials: of the later half of all samples hardly any changes anything.
          expect(changes.filter(({ at }) => at > 1500).length).toBeLessThan(40);
          const last = changes.at(-1)?.to ?? start;
          expect(last).toBeLessThanOrEqual(Math.max(can, 1) + Math.ceil(can * 0.25) + 1);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('does nothing more after a while under constant samples', () => {
    const samples = fc.record({
      eventLoopDelayMs: fc.constantFrom(0, 90, 150),
      memory: fc.constantFrom(0.2, 0.8, 0.9),
      responseMs: fc.constantFrom(undefined, 1000, 9000, 20_000),
      queueDepth: fc.nat(20),
      running: fc.nat(64),
      progressing: fc.boolean(),
      slowness: fc.constantFrom(1, 2),
    });
    fc.assert(
      fc.property(samples, fc.integer({ min: 1, max: 64 }), (sample, start) => {
        const changes = follow(400, start, () => sample);
        expect(changes.filter(({ at }) => at > 200)).toEqual([]);
      }),
    );
  });
});

/** Carries changes out against a model of the process. */
function follow(
  samples: number,
  concurrency: number,
  load: (now: Settings) => Partial<Measured>,
): { at: number; to: number }[] {
  let memo: AdaptationMemo = freshMemo;
  let now: Settings = { concurrency, timeoutFactor: 1 };
  const changes: { at: number; to: number }[] = [];
  for (let at = 0; at < samples; at++) {
    const next = adapt(memo, { measured: { ...calm, ...load(now) }, settings: now, rules });
    memo = next.memo;
    if (!next.change) continue;
    changes.push({ at, to: next.change.to });
    if (next.change.policy === 'concurrency') now = { ...now, concurrency: next.change.to };
    else now = { ...now, timeoutFactor: next.change.to };
  }
  return changes;
}
