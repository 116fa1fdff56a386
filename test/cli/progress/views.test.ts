import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SimulatedClock } from '../../../src/core/simulated-clock.ts';
import { progressBlock } from '../../../src/cli/progress/block.ts';
import { Forecast } from '../../../src/cli/progress/forecast.ts';
import { LinesView } from '../../../src/cli/progress/lines.ts';
import { LiveView } from '../../../src/cli/progress/live.ts';
import { Tally } from '../../../src/cli/progress/tally.ts';
import { painter } from '../../../src/cli/render/painter.ts';
import { widthOf } from '../../../src/cli/render/width.ts';
import type { RunEvent } from '../../../src/runtime/api.ts';
import { playBack } from '../support/terminal.ts';

const paint = painter(false);
const at = 1000;
const started = (task: string): RunEvent => ({
  type: 'task.started',
  task,
  attempt: 1,
  iteration: 1,
  run: 'r',
  seq: 1,
  at,
});
const succeeded = (task: string, when = at): RunEvent => ({
  type: 'task.succeeded',
  task,
  attempt: 1,
  output: null,
  run: 'r',
  seq: 1,
  at: when,
});
const progress = (task: string, message: string): RunEvent => ({
  type: 'task.progress',
  task,
  message,
  fraction: null,
  run: 'r',
  at,
});
const failed = (task: string): RunEvent => ({
  type: 'task.ended',
  task,
  outcome: 'failed',
  reason: 'attempts_exhausted',
  error: { code: 'TRP_ATTEMPT_FAILED', message: 'no\u001b[2J route', errorClass: 'transient' },
  run: 'r',
  seq: 1,
  at: at + 2500,
});

function tallyOf(
  events: readonly RunEvent[],
  groups: ConstructorParameters<typeof Tally>[0] = [],
): Tally {
  const tally = new Tally(groups);
  for (const event of events) tally.apply(event);
  return tally;
}

function block(tally: Tally, columns: number, rows = 24): readonly string[] {
  return progressBlock({
    tally,
    forecast: new Forecast([]),
    title: 'sample',
    now: at + 3000,
    startedAt: at,
    size: { columns, rows },
    paint,
  });
}

describe('a progress block', () => {
  it('tells counts, what runs since when, its last message, and what failed', () => {
    const text = block(
      tallyOf([
        started('a'),
        started('b'),
        progress('b', 'reading\nnow'),
        started('c'),
        failed('c'),
      ]),
      80,
    ).join('\n');
    expect(text).toContain('1/3  2 running  1 failed');
    expect(text).toMatch(/b +3\.0s reading now/);
  });

  it('tells the forecast of the plan', () => {
    const forecast = new Forecast([{ id: 'a', startMs: 0, finishMs: 10_000 }]);
    const options = {
      forecast,
      title: 'x',
      now: at + 4000,
      startedAt: at,
      size: { columns: 80, rows: 24 },
      paint,
    };
    expect(progressBlock({ ...options, tally: tallyOf([started('a')]) }).join('\n')).toContain(
      'eta 6.0s',
    );
  });

  it('has a bar per group with its count', () => {
    const groups = [{ id: 'research', members: ['a', 'b'] }];
    const lines = block(tallyOf([started('a'), started('b'), succeeded('a')], groups), 60);
    expect(lines.find((line) => line.includes('research'))).toMatch(/research +█+░+ 1\/2$/);
  });

  it('shows groups under way before those that wait or are done', () => {
    const names = Array.from({ length: 40 }, (_, index) => `g${index}`);
    const groups = names.map((id) => ({ id, members: [`${id}a`, `${id}b`] }));
    const events = names.flatMap((id) => [started(`${id}a`), started(`${id}b`)]);
    const text = block(tallyOf([...events, succeeded('g33a')], groups), 80).join('\n');
    expect(text).toContain('g33 ');
  });

  it('counts the running tasks that it does not show', () => {
    const events = Array.from({ length: 10_000 }, (_, index) => started(`task-${index}`));
    const lines = block(tallyOf(events), 80);
    expect(lines.length).toBeLessThan(24);
    expect(lines.at(-1)).toContain('more tasks running');
    expect(lines.join('\n')).toContain('10000 running');
  });

  it('is never wider or higher than the terminal', () => {
    const names = fc.string({ unit: 'grapheme', maxLength: 60 }).filter((name) => name.length > 0);
    const history = fc.array(
      fc.record({ task: names, message: names, group: fc.nat(12), done: fc.boolean() }),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(
        history,
        fc.integer({ min: 20, max: 120 }),
        fc.integer({ min: 3, max: 40 }),
        (tasks, columns, rows) => {
          const groups = Array.from({ length: 13 }, (_, group) => ({
            id: `group ${group} with a long name`,
            members: tasks.filter((each) => each.group === group).map(({ task }) => task),
          }));
          const events = tasks.flatMap(({ done, message, task }) => [
            started(task),
            progress(task, message),
            ...(done ? [succeeded(task)] : []),
          ]);
          const lines = block(tallyOf(events, groups), columns, rows);
          expect(lines.length).toBeLessThan(rows);
          for (const line of lines) expect(widthOf(line)).toBeLessThan(columns);
        },
      ),
    );
  });
});

describe('a live view', () => {
  /** A view on a screen that is played back: escapes move a cursor over lines. */
  function screen(lines: () => readonly string[]): {
    clock: SimulatedClock;
    view: LiveView;
    writes: string[];
    shown: () => string[];
  } {
    const clock = new SimulatedClock();
    const writes: string[] = [];
    const view = new LiveView({ clock, write: (text) => void writes.push(text), lines });
    return { clock, view, writes, shown: () => playBack(writes.join('')) };
  }

  it('draws over itself, leaving one block however often it was drawn', () => {
    let count = 0;
    const { clock, shown, view } = screen(() =>
      count++ % 2 === 0 ? ['long line', 'second', 'third'] : [`x${count}`],
    );
    for (let turn = 0; turn < 7; turn++) {
      view.show();
      clock.step();
    }
    view.stop();
    expect(shown().length).toBeLessThanOrEqual(3);
    expect(shown()[0]).toMatch(/^(long line|x\d+)$/);
  });

  it('draws at most ten times a second, whatever happens', () => {
    const { clock, view, writes } = screen(() => ['line']);
    const tick = (): void => {
      view.show();
      if (clock.now() < 1000) clock.setTimeout(tick, 1);
    };
    tick();
    while (clock.now() < 1000) clock.step();
    expect(writes.length).toBeGreaterThan(5);
    expect(writes.length).toBeLessThanOrEqual(11);
  });

  it('moves elapsed times once a second when nothing happens', () => {
    const { clock, writes } = screen(() => ['line']);
    const before = writes.length;
    clock.step();
    expect([clock.now(), writes.length]).toEqual([1000, before + 1]);
  });

  it('puts a note above itself, where it stays', () => {
    const { shown, view } = screen(() => ['block']);
    view.note('a note');
    view.stop();
    expect(shown()).toEqual(['a note', 'block']);
  });

  it('writes nothing after it was stopped, and leaves no timer', () => {
    const { clock, view, writes } = screen(() => ['line']);
    view.show();
    view.stop();
    const before = writes.length;
    view.show();
    view.note('late');
    view.stop();
    expect([clock.step(), writes.length]).toEqual([false, before]);
  });

  it('says a last thing in its own place', () => {
    const { clock, shown, view } = screen(() => ['block', 'second line']);
    view.leave('left');
    view.stop();
    expect([shown(), clock.step()]).toEqual([['left'], false]);
  });
});

describe('plain progress lines', () => {
  function lines(events: readonly RunEvent[], before: readonly RunEvent[] = []): string[] {
    const tally = tallyOf(before);
    const written: string[] = [];
    const view = new LinesView({
      clock: new SimulatedClock(),
      write: (text) => void written.push(text),
      tally,
      startedAt: at,
      paint,
    });
    for (const event of events) {
      tally.apply(event);
      view.show(event);
    }
    return written;
  }

  it('tell when a provider has asked to be left alone', () => {
    const written = lines([
      { type: 'provider.paused', run: 'r', provider: 'acme', at: at + 1_100, for_ms: 1_017 },
    ]);
    expect(written.join('')).toMatch(/1\.1s\s+paused\s+provider acme asked to wait 1\.0s\n$/);
  });

  it('tell what a group decides or foresees while its members work', () => {
    const about = { run: 'r', seq: 1, at, group: 'g' } as const;
    const written = lines([
      { ...about, type: 'barrier.fell_back', members: ['a', 'b'] },
      { ...about, type: 'conflict.foreseen', key: 'k', rule: 'reject', tasks: ['a', 'b'] },
      { ...about, type: 'alert.raised', name: 'barrier', to: '', message: 'its time is over' },
    ]);
    expect(written.map((line) => line.trim().replace(/\s+/g, ' '))).toEqual([
      '0.0s fallback group g runs 2 members one after another',
      '0.0s conflict a and b write k: reject decides',
      '0.0s alert its time is over',
    ]);
  });

  it('tell each start and end with its time and duration, one line each', () => {
    const written = lines([started('a'), succeeded('a', at + 1500)]);
    expect(
      written.map((line) =>
        line
          .trim()
          .split(/\s{2,}|\n/)
          .join('|'),
      ),
    ).toEqual(['0.0s|start|a', '1.5s|succeeded|a (1.5s)']);
  });

  it('tell a failure with reason and error, on one line that cannot steer the terminal', () => {
    const [, line = ''] = lines([started('a'), failed('a')]);
    expect(line).toContain(
      'failed     a (2.5s) attempts_exhausted: TRP_ATTEMPT_FAILED no [2J route',
    );
    expect(line.indexOf('\n')).toBe(line.length - 1);
  });

  it('tell counts once a second instead of every task of a large run, and its first failures', () => {
    const many = Array.from({ length: 5000 }, (_, index) => started(`t${index}`));
    const written = lines(
      [
        ...many.map(({ task }: RunEvent & { task?: string }) => succeeded(task ?? '')),
        ...Array.from({ length: 300 }, (_, index) => failed(`f${index}`)),
      ],
      many,
    );
    expect(written.length).toBeLessThan(25);
    expect(written.filter((line) => line.includes('attempts_exhausted'))).toHaveLength(20);
    expect(written[0]).toContain('/5000 ended');
  });
});
