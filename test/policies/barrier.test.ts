import { describe, expect, test } from 'vitest';
import type { TaskOutcome } from '../../src/core/outcome.ts';
import {
  barrierArrived,
  barrierAtStart,
  barrierTimedOut,
  initialBarrier,
  type BarrierDecision,
  type BarrierStep,
} from '../../src/policies/barrier.ts';
import type { BarrierSpec } from '../../src/workflow/model.ts';

const base: BarrierSpec = {
  type: 'count_down',
  expected: undefined,
  minSuccess: { count: 1 },
  required: [],
  timeoutMs: 1000,
  onTimeout: ['proceed_with_available'],
  extension: { byMs: 300, max: 1 },
  onFailure: 'retry_failed_worker',
};

/** An arrival as `member outcome`, a timeout as `timeout` with the members that have shown progress. */
type Event =
  | readonly [member: string, outcome: TaskOutcome]
  | { readonly timeout: readonly string[] };

/** Every decision, from the one at the start to that after the last event; waits left out. */
function decisions(
  spec: Partial<BarrierSpec>,
  members: readonly string[],
  events: readonly Event[],
): BarrierDecision[] {
  let step: BarrierStep = barrierAtStart(initialBarrier({ ...base, ...spec }, members));
  const made = [step.decision];
  for (const event of events) {
    step =
      'timeout' in event
        ? barrierTimedOut(step.state, event.timeout)
        : barrierArrived(step.state, { member: event[0], outcome: event[1] });
    made.push(step.decision);
  }
  return made.filter(({ kind }) => kind !== 'wait');
}

function release(
  outcome: 'succeeded' | 'partial' | 'failed',
  reason: string,
  cancelRest = false,
): object {
  return { kind: 'release', outcome, reason, cancelRest };
}

const abc = ['a', 'b', 'c'];
const s = (member: string): Event => [member, 'succeeded'];
const f = (member: string): Event => [member, 'failed'];
const timeout = (...progressed: string[]): Event => ({ timeout: progressed });

type Row = [
  what: string,
  spec: Partial<BarrierSpec>,
  events: readonly Event[],
  made: readonly object[],
];

describe('count_down', () => {
  test.each<Row>([
    ['waits while a member runs', {}, [s('a'), s('b')], []],
    [
      'succeeds when all have succeeded',
      {},
      [s('a'), s('b'), s('c')],
      [release('succeeded', 'completed')],
    ],
    [
      'is partial when enough have',
      {},
      [s('a'), f('b'), ['c', 'timed_out']],
      [release('partial', 'gaps_tolerated')],
    ],
    [
      'fails when too few have',
      { minSuccess: { count: 2 } },
      [s('a'), f('b'), ['c', 'skipped']],
      [release('failed', 'min_success_missed')],
    ],
    ['waits for all although it is lost', { minSuccess: { count: 3 } }, [f('a'), f('b')], []],
    [
      'fails when a required member has not succeeded',
      { required: ['b'] },
      [s('a'), ['b', 'cancelled'], s('c')],
      [release('failed', 'required_member_failed')],
    ],
    [
      'fails when a required id is no member',
      { required: ['z'] },
      [s('a'), s('b'), s('c')],
      [release('failed', 'required_member_failed')],
    ],
    [
      'rounds a share up: half of three are two',
      { minSuccess: { share: 0.5 } },
      [s('a'), f('b'), f('c')],
      [release('failed', 'min_success_missed')],
    ],
    [
      'goes on after a failure also with continue',
      { onFailure: 'continue' },
      [f('a'), f('b'), s('c')],
      [release('partial', 'gaps_tolerated')],
    ],
    [
      'releases at the expected arrival and cancels the rest',
      { expected: 2 },
      [f('c'), s('a')],
      [release('partial', 'quorum_reached', true)],
    ],
    [
      'waits for a required member beyond the expected ones',
      { expected: 1, required: ['c'] },
      [s('a'), s('c')],
      [release('partial', 'quorum_reached', true)],
    ],
    [
      'expects at most all',
      { expected: 9 },
      [s('a'), s('b'), s('c')],
      [release('succeeded', 'completed')],
    ],
    [
      'tolerates that none succeeds when none is asked for',
      { minSuccess: { count: 0 } },
      [f('a'), f('b'), f('c')],
      [release('partial', 'gaps_tolerated')],
    ],
  ])('%s', (_what, spec, events, made) => {
    expect(decisions(spec, abc, events)).toEqual(made);
  });
});

describe('smart', () => {
  test.each<Row>([
    [
      'does not release on reaching its successes while members run',
      { minSuccess: { count: 1 } },
      [s('a'), s('b')],
      [],
    ],
    [
      'succeeds when all have succeeded',
      {},
      [s('c'), s('b'), s('a')],
      [release('succeeded', 'completed')],
    ],
    [
      'is partial when enough have',
      {},
      [f('c'), s('b'), f('a')],
      [release('partial', 'gaps_tolerated')],
    ],
    [
      'fails as soon as too few successes are possible',
      { minSuccess: { share: 0.6 } },
      [f('a'), f('b')],
      [release('failed', 'min_success_missed', true)],
    ],
    [
      'fails as soon as a required member fails',
      { required: ['a'] },
      [f('a')],
      [release('failed', 'required_member_failed', true)],
    ],
    [
      'takes a skipped required member for a failed one',
      { required: ['a'] },
      [['a', 'skipped']],
      [release('failed', 'required_member_failed', true)],
    ],
    [
      'lets the rest run on when told to continue',
      { required: ['a'], onFailure: 'continue' },
      [f('a')],
      [release('failed', 'required_member_failed', false)],
    ],
    [
      'has nobody to cancel at the last arrival',
      { required: ['a'] },
      [s('b'), s('c'), f('a')],
      [release('failed', 'required_member_failed', false)],
    ],
    [
      'counts possible successes only up to the expected arrivals',
      { expected: 2, minSuccess: { count: 2 } },
      [f('a')],
      [release('failed', 'min_success_missed', true)],
    ],
    [
      'counts all members while a required one is awaited',
      { expected: 2, minSuccess: { count: 2 }, required: ['c'] },
      [f('a'), s('b'), s('c')],
      [release('partial', 'gaps_tolerated')],
    ],
    [
      'fails at the start when it can never be met',
      { minSuccess: { count: 4 } },
      [],
      [release('failed', 'min_success_missed', true)],
    ],
    [
      'fails at the start when a required id is no member',
      { required: ['z'] },
      [],
      [release('failed', 'required_member_failed', true)],
    ],
  ])('%s', (_what, spec, events, made) => {
    expect(decisions({ type: 'smart', ...spec }, abc, events)).toEqual(made);
  });
});

describe('fail_fast', () => {
  test.each<Row>([
    [
      'any failure ends the group at once',
      { minSuccess: { count: 1 } },
      [s('a'), f('b')],
      [release('failed', 'members_failed', true)],
    ],
    [
      'a timeout of a member is a failure',
      {},
      [['a', 'timed_out']],
      [release('failed', 'members_failed', true)],
    ],
    [
      'a failure of a required member says so',
      { required: ['b'] },
      [f('b')],
      [release('failed', 'required_member_failed', true)],
    ],
    [
      'a skipped member is no failure',
      {},
      [['a', 'skipped'], s('b'), s('c')],
      [release('partial', 'gaps_tolerated')],
    ],
  ])('%s, with either type', (_what, spec, events, made) => {
    for (const type of ['count_down', 'smart'] as const) {
      expect(decisions({ type, onFailure: 'fail_fast', ...spec }, abc, events)).toEqual(made);
    }
  });
});

describe('timeout', () => {
  const patient = { onTimeout: ['extend', 'proceed_with_available'] as const };
  const extend = (...members: string[]): object => ({ kind: 'extend', byMs: 300, members });
  test.each<Row>([
    [
      'goes on with what is available',
      {},
      [s('a'), timeout()],
      [release('partial', 'gaps_tolerated', true)],
    ],
    [
      'fails when too little is available',
      {},
      [f('a'), timeout()],
      [release('failed', 'min_success_missed', true)],
    ],
    [
      'counts a share against all members, not only those that arrived',
      { minSuccess: { share: 0.5 } },
      [s('a'), timeout()],
      [release('failed', 'min_success_missed', true)],
    ],
    [
      'fails when a required member is missing',
      { required: ['c'] },
      [s('a'), timeout()],
      [release('failed', 'required_member_failed', true)],
    ],
    [
      'extends for the running members that have shown progress',
      patient,
      [s('a'), timeout('a', 'b', 'stranger')],
      [extend('b')],
    ],
    [
      'does not extend without progress',
      patient,
      [s('a'), timeout('a')],
      [release('partial', 'gaps_tolerated', true)],
    ],
    [
      'extends no more often than allowed',
      patient,
      [s('a'), timeout('b'), timeout('b')],
      [extend('b'), release('partial', 'gaps_tolerated', true)],
    ],
    [
      'extends as often as allowed',
      { ...patient, extension: { byMs: 300, max: 2 } },
      [s('a'), timeout('b'), timeout('c'), timeout('c')],
      [extend('b'), extend('c'), release('partial', 'gaps_tolerated', true)],
    ],
    [
      'counts arrivals during an extension',
      patient,
      [s('a'), timeout('b'), s('b'), s('c')],
      [extend('b'), release('succeeded', 'completed')],
    ],
    [
      'takes the next strategy when too little is available',
      { onTimeout: ['proceed_with_available', 'abort_and_fallback'] },
      [f('a'), timeout()],
      [{ kind: 'fall_back' }],
    ],
    [
      'goes on with what is available before it falls back',
      { onTimeout: ['proceed_with_available', 'abort_and_fallback'] },
      [s('a'), timeout()],
      [release('partial', 'gaps_tolerated', true)],
    ],
    [
      'falls back once, then only arrivals count',
      { onTimeout: ['abort_and_fallback'] },
      [timeout('a'), timeout('a'), s('a'), s('b'), s('c')],
      [{ kind: 'fall_back' }, release('succeeded', 'completed')],
    ],
    [
      'falls back after an extension',
      { onTimeout: ['extend', 'abort_and_fallback'] },
      [timeout('a'), timeout('a'), s('a'), f('b'), s('c')],
      [extend('a'), { kind: 'fall_back' }, release('partial', 'gaps_tolerated')],
    ],
    [
      'fails when told to, whatever is available',
      { onTimeout: ['fail'] },
      [s('a'), s('b'), timeout()],
      [release('failed', 'deadline_exceeded', true)],
    ],
    [
      'judges what has arrived when no strategy is left',
      { onTimeout: ['extend'] },
      [s('a'), timeout()],
      [release('partial', 'gaps_tolerated', true)],
    ],
    [
      'fails at the end of the list when too little has arrived',
      { onTimeout: ['extend'] },
      [timeout()],
      [release('failed', 'min_success_missed', true)],
    ],
    [
      'cancels the rest also with continue',
      { onFailure: 'continue' },
      [f('a'), timeout()],
      [release('failed', 'min_success_missed', true)],
    ],
    [
      'after the release changes nothing',
      {},
      [s('a'), timeout(), timeout('b'), s('b')],
      [release('partial', 'gaps_tolerated', true)],
    ],
  ])('%s', (_what, spec, events, made) => {
    for (const type of ['count_down', 'smart'] as const)
      expect(decisions({ type, ...spec }, abc, events)).toEqual(made);
  });
});

describe('arrivals', () => {
  test('a second arrival of a member changes nothing', () => {
    expect(decisions({}, abc, [s('a'), s('a'), f('a'), s('b')])).toEqual([]);
    expect(decisions({}, abc, [f('a'), s('a'), s('b'), s('c')])).toEqual([
      release('partial', 'gaps_tolerated'),
    ]);
  });

  test('a late arrival leaves the released state untouched', () => {
    const released = barrierTimedOut(
      initialBarrier({ ...base, minSuccess: { count: 0 } }, abc),
      [],
    ).state;
    const late = barrierArrived(released, { member: 'a', outcome: 'succeeded' });
    expect(late).toEqual({ state: released, decision: { kind: 'wait' } });
    expect(late.state).toMatchObject({
      tag: 'released',
      outcome: 'partial',
      reason: 'gaps_tolerated',
    });
  });

  test('an arrival of a stranger is a fault', () => {
    const barrier = initialBarrier(base, abc);
    expect(() => barrierArrived(barrier, { member: 'z', outcome: 'failed' })).toThrow(
      expect.objectContaining({ code: 'TRP_INTERNAL' }),
    );
  });

  test('a step leaves the state it came from as it was', () => {
    const before = initialBarrier(base, abc);
    const copy = structuredClone(before);
    barrierArrived(before, { member: 'a', outcome: 'succeeded' });
    barrierTimedOut(before, []);
    expect(before).toEqual(copy);
  });
});

test('a group without members has succeeded at the start', () => {
  for (const type of ['count_down', 'smart'] as const) {
    const made = decisions({ type, minSuccess: { count: 3 }, required: ['z'] }, [], []);
    expect(made).toEqual([release('succeeded', 'completed')]);
  }
});

test.each([
  [0.07, 100, 7],
  [0.5, 3, 2],
  [1, 7, 7],
  [0.01, 3, 1],
  [0, 3, 0],
])('a share of %d of %i members is %i', (share, total, needed) => {
  const members = Array.from({ length: total }, (_, index) => `m${index}`);
  const arrive = (successes: number): BarrierDecision[] =>
    decisions(
      { minSuccess: { share } },
      members,
      members.map((id, index) => (index < successes ? s(id) : f(id))),
    );
  expect(arrive(needed)).toMatchObject([{ outcome: needed === total ? 'succeeded' : 'partial' }]);
  if (needed > 0) expect(arrive(needed - 1)).toMatchObject([{ outcome: 'failed' }]);
});

test('a hundred thousand arrivals are counted one by one', () => {
  const members = Array.from({ length: 100_000 }, (_, index) => `m${index}`);
  const made = decisions(
    { type: 'smart' },
    members,
    members.flatMap((id) => [s(id), s(id)]),
  );
  expect(made).toEqual([release('succeeded', 'completed')]);
});
