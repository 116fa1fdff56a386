import { describe, expect, it } from 'vitest';
import { Forecast } from '../../../src/cli/progress/forecast.ts';
import type { TaskPace } from '../../../src/cli/progress/forecast.ts';

const plan = [
  { id: 'a', startMs: 0, finishMs: 10_000 },
  { id: 'b', startMs: 10_000, finishMs: 30_000 },
];

function pace(
  elapsedMs: number,
  tasks: { readonly [id: string]: TaskPace | undefined },
): Parameters<Forecast['remainingMs']>[0] {
  return { elapsedMs, unfinished: Object.keys(tasks), running: (task) => tasks[task] };
}

const silent = (ranMs: number): TaskPace => ({ ranMs, fraction: null });

describe('a forecast', () => {
  it('takes the time that a task has run off its estimate', () => {
    expect(new Forecast(plan).remainingMs(pace(4000, { a: silent(4000), b: undefined }))).toBe(
      26_000,
    );
  });

  it('goes by the fraction that a task tells, and corrects the rest of the plan by it', () => {
    const forecast = new Forecast(plan);
    const told = pace(4000, { a: { ranMs: 4000, fraction: 0.2 }, b: undefined });
    expect(forecast.remainingMs(told)).toBe(16_000 + 40_000);
  });

  it('tells from fractions even where the plan had to guess', () => {
    const forecast = new Forecast(plan.slice(0, 1), true);
    expect(forecast.remainingMs(pace(5000, { a: silent(5000) }))).toBeUndefined();
    expect(forecast.remainingMs(pace(5000, { a: { ranMs: 5000, fraction: 0.25 } }))).toBe(15_000);
  });

  it('tells nothing when a silent task has overrun its time', () => {
    const forecast = new Forecast(plan);
    forecast.observe('a', 100);
    expect(forecast.remainingMs(pace(5000, { b: silent(4900) }))).toBeUndefined();
  });

  it('is not silenced by one of many tasks', () => {
    const many = Array.from({ length: 50 }, (_, index) => ({
      id: `t${index}`,
      startMs: 0,
      finishMs: 1000,
    }));
    const rest = Object.fromEntries(many.slice(1).map(({ id }) => [id, undefined]));
    const forecast = new Forecast(many);
    expect(forecast.remainingMs(pace(2000, { t0: silent(2000), ...rest }))).toBe(1000);
  });

  it('takes an expanded task for as far as its members are', () => {
    const forecast = new Forecast(plan.slice(0, 1));
    const members = { a: silent(9000), 'a[0]': silent(9000), 'a[1]': silent(4000) };
    expect(forecast.remainingMs(pace(9000, members))).toBe(6000);
  });
});

describe('a forecast by its plan', () => {
  const tasks = [
    { id: 'a', startMs: 0, finishMs: 10 },
    { id: 'b', startMs: 10, finishMs: 30 },
  ];
  const left = (
    forecast: Forecast,
    unfinished: readonly string[],
    ran?: number,
    elapsedMs = 0,
  ): number | undefined =>
    forecast.remainingMs({
      unfinished,
      running: () => (ran === undefined ? undefined : { ranMs: ran, fraction: null }),
      elapsedMs,
    });

  it('is the plan before anything has started', () => {
    expect(left(new Forecast(tasks), ['a', 'b'])).toBe(30);
  });

  it('counts down while a task runs', () => {
    expect(left(new Forecast(tasks), ['b'], 5)).toBe(15);
  });

  it('follows the pace of what has ended', () => {
    const forecast = new Forecast(tasks);
    forecast.observe('a', 20);
    expect(left(forecast, ['b'], undefined, 20)).toBe(40);
  });

  it('counts the work that is left at the parallelism reached', () => {
    const many = Array.from({ length: 100 }, (_, index) => ({
      id: `t${index}`,
      startMs: 0,
      finishMs: 10,
    }));
    const forecast = new Forecast(many);
    for (let index = 0; index < 20; index++) forecast.observe(`t${index}`, 10);
    expect(
      left(
        forecast,
        many.slice(20).map(({ id }) => id),
        undefined,
        50,
      ),
    ).toBe(200);
  });

  it('says nothing when the plan has no time, nor when it guesses and nothing has ended', () => {
    const guess = new Forecast(tasks, true);
    expect([left(new Forecast([]), ['a']), left(guess, ['a'])]).toEqual([undefined, undefined]);
    guess.observe('a', 10);
    expect(left(guess, ['b'], undefined, 10)).toBe(20);
  });

  it('is over when nothing is unfinished', () => {
    expect(left(new Forecast(tasks), [])).toBe(0);
  });
});
