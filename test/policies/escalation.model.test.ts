import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { climb, isTried } from '../../src/policies/escalation.ts';
import type { ClimbStep, LadderPlace } from '../../src/policies/escalation.ts';
import { nextCandidate } from '../../src/policies/redistribution.ts';
import type { Candidate } from '../../src/policies/redistribution.ts';
import { seededRandom } from '../../src/core/random.ts';
import { rungKinds } from '../../src/workflow/recovery.ts';
import type { RungSpec } from '../../src/workflow/recovery.ts';

const rung = fc.record(
  {
    kind: fc.constantFrom(...rungKinds),
    otherwise: fc.constantFrom('next', 'use_default', 'fail', 'skip'),
    attempts: fc.integer({ min: 1, max: 4 }),
    deadlineMs: fc.integer({ min: 1, max: 50 }),
    maxCost: fc.integer({ min: 1, max: 5 }),
  },
  { requiredKeys: ['kind', 'otherwise'] },
) as fc.Arbitrary<RungSpec>;

interface Story {
  readonly steps: readonly ClimbStep[];
  readonly attemptsBy: ReadonlyMap<number, number>;
}

function arrived(spec: RungSpec | undefined, index: number, now: number): LadderPlace {
  const deadline = spec?.deadlineMs === undefined ? undefined : now + spec.deadlineMs;
  return { index, attempts: 0, cost: 0, deadline };
}

/** Fails again and again, and says where that leads; a person never answers. */
function failOn(ladder: readonly RungSpec[], retries: number): Story {
  const steps: ClimbStep[] = [];
  const attemptsBy = new Map<number, number>();
  let place: LadderPlace | undefined;
  let now = 0;
  for (let failures = 1; failures < 200; failures++) {
    const step = climb(ladder, {
      place,
      now,
      attemptsOf: ({ attempts = 1 }) => attempts,
      retryEnd: failures < retries ? undefined : 'attempts',
    });
    steps.push(step);
    if (step.kind === 'end') break;
    const spec = ladder[step.index];
    if (step.kind === 'up') place = arrived(spec, step.index, now);
    if (!place || !spec) break;
    if (!isTried(spec)) {
      if (spec.kind === 'person' && spec.deadlineMs === undefined) break;
      now = place.deadline ?? now;
      continue;
    }
    now += 7;
    attemptsBy.set(step.index, (attemptsBy.get(step.index) ?? 0) + 1);
    place = { ...place, attempts: place.attempts + 1, cost: place.cost + 1 };
  }
  return { steps, attemptsBy };
}

describe('a ladder under failures without end', () => {
  it('is climbed upwards only, and comes to an end or to a person', () => {
    fc.assert(
      fc.property(
        fc.array(rung, { maxLength: 6 }),
        fc.integer({ min: 1, max: 5 }),
        (ladder, retries) => {
          const { steps } = failOn(ladder, retries);
          const indexes = steps.flatMap((step) => (step.kind === 'end' ? [] : [step.index]));
          expect([...indexes].sort((a, b) => a - b)).toEqual(indexes);
          const last = steps.at(-1);
          const asks = last && last.kind !== 'end' && ladder[last.index]?.kind === 'person';
          expect(last?.kind === 'end' || asks).toBe(true);
        },
      ),
    );
  });

  it('spends on a rung at most its attempts, and at most one more than its cost', () => {
    fc.assert(
      fc.property(fc.array(rung, { maxLength: 6 }), (ladder) => {
        for (const [index, count] of failOn(ladder, 4).attemptsBy) {
          const { kind, attempts = 1, maxCost = Infinity } = ladder[index] ?? {};
          const most = kind === 'retry' && index === 0 ? 4 : attempts;
          expect(count).toBeLessThanOrEqual(Math.min(most, maxCost));
        }
      }),
    );
  });

  it('ends by the default of the rung that is used up, and as exhausted above the last', () => {
    fc.assert(
      fc.property(fc.array(rung, { minLength: 1, maxLength: 6 }), (ladder) => {
        const { steps } = failOn(ladder, 3);
        const last = steps.at(-1);
        if (last?.kind !== 'end') return;
        const before = steps.at(-2);
        const left = before && before.kind !== 'end' ? ladder[before.index] : undefined;
        const isFinal = left && left.otherwise !== 'next' && last.left !== 'handed_up';
        expect(last.how).toBe(isFinal ? left.otherwise : 'exhausted');
      }),
    );
  });
});

describe('who is next', () => {
  const names = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1 });

  it('is never who has just failed if there is another, and always who has failed least among the rest', () => {
    fc.assert(
      fc.property(
        names,
        fc.array(fc.constantFrom('a', 'b', 'c', 'd')),
        fc.nat(),
        (all, past, seed) => {
          const candidates = all.map((agent): Candidate => ({ agent }));
          const failed = past.map((agent): Candidate => ({ agent }));
          const next = nextCandidate(candidates, failed, seededRandom(seed));
          expect(next).toEqual(nextCandidate(candidates, failed, seededRandom(seed)));
          const others = all.filter((agent) => agent !== past.at(-1));
          if (others.length > 0) expect(others).toContain(next?.agent);
          const count = (agent: string): number => past.filter((one) => one === agent).length;
          const eligible = others.length > 0 ? others : all;
          expect(count(next?.agent ?? '')).toBe(Math.min(...eligible.map(count)));
        },
      ),
    );
  });

  it('goes round all candidates before it comes back to one', () => {
    fc.assert(
      fc.property(names, fc.nat(), (all, seed) => {
        const failed: Candidate[] = [];
        const random = seededRandom(seed);
        const candidates = all.map((agent) => ({ agent }));
        for (const _ of all)
          failed.push(nextCandidate(candidates, failed, random) ?? { agent: '' });
        expect(failed.map(({ agent }) => agent).sort()).toEqual([...all].sort());
      }),
    );
  });

  it('is nobody where nobody is', () => {
    expect(nextCandidate([], [{ agent: 'a' }], seededRandom(1))).toBeUndefined();
  });
});
