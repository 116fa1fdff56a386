import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { errorCodes } from '../../../src/core/errors.ts';
import { painter } from '../../../src/cli/render/painter.ts';
import { bar, elapsed, table } from '../../../src/cli/render/shapes.ts';
import { summaryLines } from '../../../src/cli/render/summary.ts';
import { taskTable, timeline } from '../../../src/cli/render/timeline.ts';
import { fit, oneLine, pad, widthOf, wrapped } from '../../../src/cli/render/width.ts';
import { runReport, taskReport } from '../support/reports.ts';

const plain = painter(false);
const layout = { paint: plain, columns: 60 };

describe('text that is laid out', () => {
  it('never takes more columns than it may, and exactly so many when padded', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }),
        fc.integer({ min: 0, max: 40 }),
        (text, columns) => {
          const line = oneLine(text);
          expect(widthOf(fit(line, columns))).toBeLessThanOrEqual(columns);
          expect(widthOf(pad(line, columns))).toBe(columns);
        },
      ),
    );
  });

  it('counts wide characters twice and marks that combine not at all', () => {
    expect([widthOf('漢字'), widthOf('e\u0301'), widthOf('🚀')]).toEqual([4, 1, 2]);
  });

  it('is wrapped at spaces, without losing a character and within the columns', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }),
        fc.integer({ min: 2, max: 40 }),
        (text, columns) => {
          const line = oneLine(text);
          const lines = wrapped(line, columns);
          for (const each of lines) expect(widthOf(each)).toBeLessThanOrEqual(columns);
          expect(lines.join('').replace(/\s/g, '')).toBe(line.replace(/\s/g, ''));
        },
      ),
    );
    expect(wrapped('  one two three four', 11)).toEqual(['  one two', '    three', '    four']);
  });

  it('cannot steer the terminal', () => {
    expect(oneLine('a\u001b[2Jb\r\nc\u0007\u009b31m\u202ed')).toBe('a [2Jb c 31m d');
  });
});

describe('a bar', () => {
  it('is as long as it is told, empty only at nothing and full only at the end', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: 2, max: 40 }),
        (share, columns) => {
          const drawn = bar(share, columns);
          expect(drawn).toHaveLength(columns);
          expect(drawn.includes('█')).toBe(share > 0);
          expect(drawn.includes('░')).toBe(share < 1);
        },
      ),
    );
  });

  it('takes a share of no tasks for nothing', () => {
    expect(bar(Number.NaN, 3)).toBe('░░░');
  });
});

describe('an elapsed time', () => {
  it.each([
    [0, '0.0s'],
    [12_345, '12.3s'],
    [59_949, '59.9s'],
    [59_950, '1m 00s'],
    [185_000, '3m 05s'],
    [3_599_499, '59m 59s'],
    [3_600_000, '1h 00m'],
    [176_400_000, '2d 01h'],
    [-5, '0.0s'],
  ])('of %i ms reads %s', (ms, text) => expect(elapsed(ms)).toBe(text));
});

describe('a table', () => {
  it('begins each column at one place in all of its lines', () => {
    const lines = table([
      ['id', 'n'],
      ['long name', '1'],
      ['x', '22'],
    ]);
    expect(lines).toEqual(['id         n', 'long name  1', 'x          22']);
  });
});

describe('a summary', () => {
  const failed = taskReport('ux', {
    outcome: 'failed',
    reason: 'attempts_exhausted',
    attempts: 3,
    error: {
      code: 'TRP_ATTEMPT_FAILED',
      message: 'no\nroute',
      errorClass: 'transient',
      hint: 'call somebody',
    },
  });
  const text = (parts: Parameters<typeof runReport>[0]): string =>
    summaryLines(runReport(parts), layout).join('\n');

  it('says how the run ended, why, and the census', () => {
    const shown = text({
      status: 'partial',
      reason: 'gaps_tolerated',
      tasks: [taskReport('a'), failed],
    });
    expect(shown).toContain('partial (gaps_tolerated)  sample  run-0000000000000001');
    expect(shown).toContain('2 tasks: 1 succeeded, 1 failed');
  });

  it('names each failure with reason, attempts, error and what to do', () => {
    const shown = text({ status: 'failed', reason: 'tasks_failed', tasks: [failed] });
    expect(shown).toContain('ux  failed: attempts_exhausted after 3 attempts');
    expect(shown).toContain('TRP_ATTEMPT_FAILED no route');
    expect(shown).toContain('next: call somebody');
  });

  it('leaves out what a code says of every error of its kind', () => {
    const error = { code: 'TRP_ATTEMPT_FAILED', message: 'x', errorClass: 'transient' } as const;
    const told = { ...failed, error: { ...error, hint: errorCodes.TRP_ATTEMPT_FAILED } };
    expect(text({ status: 'failed', tasks: [told] })).not.toContain('next:');
  });

  it('never cuts an error or a short text: whole in a pipe, wrapped at words on a terminal', () => {
    const message = Array.from({ length: 60 }, (_, index) => `word${index}`).join(' ');
    const error = { code: 'TRP_ATTEMPT_FAILED', message, errorClass: 'transient' } as const;
    const report = runReport({
      status: 'failed',
      tasks: [{ ...failed, error }],
      outputs: { headline: message.slice(0, 300) },
    });
    expect(summaryLines(report, layout)).toContain(`    TRP_ATTEMPT_FAILED ${message}`);
    expect(summaryLines(report, layout)).toContain(`  headline: ${message.slice(0, 300)}`);
    const lines = summaryLines(report, { ...layout, columns: 40, isTerminal: true });
    for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(40);
    const words = lines.join(' ').split(/\s+/);
    expect(words.filter((word) => /^word\d+$/.test(word)).length).toBeGreaterThan(90);
    expect(lines.join('\n')).toContain('word59');
  });

  it('tells cancelled tasks by reason, ten of them by name', () => {
    const error = { code: 'TRP_ATTEMPT_CANCELLED', message: 'x', errorClass: 'cancelled' } as const;
    const tasks = Array.from({ length: 14 }, (_, index) =>
      taskReport(`t${index}`, { outcome: 'cancelled', reason: 'cancelled_by_user', error }),
    );
    const lines = summaryLines(runReport({ status: 'cancelled', tasks }), layout);
    expect(lines.filter((line) => line.includes('cancelled_by_user'))).toEqual([
      '  cancelled: cancelled_by_user: t0, t1, t2, t3, t4, t5, t6, t7, t8, t9 and 4 more',
    ]);
    expect(lines.join('\n')).not.toContain('TRP_ATTEMPT_CANCELLED');
  });

  it('counts tasks apart from the parts that they were cut into', () => {
    expect(text({ tasks: [taskReport('a')] })).toContain('  1 task: 1 succeeded');
    const parts = [taskReport('a'), taskReport('a[0]'), taskReport('a[1]')];
    expect(text({ tasks: parts })).toContain('1 task (3 with their parts): 3 succeeded');
  });

  it('tells what running in parallel brought, what was waited for and what bounded the run', () => {
    const metrics = {
      ...runReport().metrics,
      sequential_ms: 9170,
      speedup: 9.17,
      parallel_efficiency: 0.91,
      peak_tasks: 10,
      queue_wait_ms: 5000,
      lock_wait_ms: 2000,
      bottleneck: { kind: 'agent', id: 'writer', share: 0.62 } as const,
    };
    const all = text({ metrics });
    expect(all).toContain('took 1.0s; one after the other the tasks would take up to 9.2s');
    expect(all).toContain('9.2 tasks at one time on average, at most 10');
    expect(all).toContain('tasks waited 3.0s for a place, 2.0s for locks');
    expect(all).toContain('bounded by agent writer (62% of the time)');
    expect(all).not.toContain('at barriers');
  });

  it('advises nothing that needs a journal where there is none', () => {
    const simulated = text({ simulated: true, status: 'failed' });
    expect(simulated).toContain('--json');
    expect(simulated).not.toMatch(/troupe (show|resume)/);
    const inMemory = summaryLines(runReport(), { ...layout, isKept: false }).join('\n');
    expect(inMemory).not.toContain('troupe show');
  });

  it('calls a run that nobody goes on with interrupted, and advises to resume it', () => {
    const report = runReport({ status: 'running', reason: 'in_progress' });
    const interrupted = summaryLines(report, { ...layout, isInterrupted: true }).join('\n');
    expect(interrupted).toMatch(/^interrupted {2}sample/);
    expect(interrupted).toContain('troupe resume');
    expect(text({ status: 'running', reason: 'in_progress' })).toMatch(/^running {2}sample/);
  });

  it('does not list what was only skipped in consequence', () => {
    const skipped = taskReport('late', { outcome: 'skipped', reason: 'upstream_failed' });
    expect(text({ status: 'failed', tasks: [failed, skipped] })).not.toContain('late');
  });

  it('tells how to go on unless everything succeeded', () => {
    expect(text({ status: 'failed' })).toContain('troupe resume run-0000000000000001');
    expect(text({ status: 'succeeded' })).not.toContain('troupe resume');
  });

  it('shows outputs on a line each, long ones cut to the width', () => {
    const shown = text({
      outputs: { report: 'x'.repeat(501), data: { a: [1] }, raw: Uint8Array.of(1) },
    });
    expect(shown).toContain('data: {"a":[1]}');
    expect(shown).toContain('raw: {"$bytes":"AQ=="}');
    for (const line of shown.split('\n')) expect(widthOf(line)).toBeLessThanOrEqual(100);
  });

  it('counts failures beyond ten', () => {
    const many = Array.from({ length: 25 }, (_, index) => ({ ...failed, id: `f${index}` }));
    expect(text({ status: 'failed', tasks: many })).toContain('and 15 more tasks');
  });
});

describe('the tasks of a run', () => {
  const tasks = [
    taskReport('a', { finished_ms: 5000 }),
    taskReport('b', {
      started_ms: 5000,
      finished_ms: 10_000,
      outcome: 'failed',
      reason: 'not_retryable',
    }),
    taskReport('c', {
      outcome: 'skipped',
      reason: 'upstream_failed',
      attempts: 0,
      started_ms: null,
      finished_ms: null,
    }),
  ];
  const metrics = {
    ...runReport().metrics,
    wall_ms: 10_000,
    critical_path_ms: 5000,
    critical_path: ['a'],
    speedup: 1,
    parallel_efficiency: 1,
  };
  const report = runReport({ tasks, metrics });

  it('stand in a table with outcome, reason, attempts, start and duration', () => {
    expect(taskTable(tasks, layout).map((line) => line.split(/\s{2,}/))).toEqual([
      ['task', 'outcome', 'reason', 'attempts', 'start', 'duration'],
      ['a', 'succeeded', 'completed', '1', '0.0s', '5.0s'],
      ['b', 'failed', 'not_retryable', '1', '5.0s', '5.0s'],
      ['c', 'skipped', 'upstream_failed', '0', '-', '-'],
    ]);
  });

  it('fit a narrow terminal, without the columns that say least', () => {
    const room = { columns: 40, isTerminal: true };
    const lines = taskTable([...tasks, taskReport('a task of a long name '.repeat(3))], room);
    for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(40);
    expect(lines[0]).toMatch(/task +outcome +start +duration|task +outcome +duration/);
  });

  it('run no longer in a run that was interrupted', () => {
    const running = taskReport('a', {
      outcome: 'running',
      reason: 'in_progress',
      finished_ms: null,
    });
    const table = taskTable([running], { columns: 100, isInterrupted: true }).join('\n');
    expect(table).toContain('interrupted');
    expect(table).not.toContain('running');
  });

  it('stand in a timeline from start to end, the critical path in heavy strokes', () => {
    const [a = '', b = '', scale = ''] = timeline(report, { paint: plain, columns: 23 });
    expect(a).toBe(`a  ${'━'.repeat(10)}`);
    expect(b).toBe(`b  ${' '.repeat(10)}${'─'.repeat(10)}`);
    expect(scale).toMatch(/^ {3}0s +10\.0s$/);
  });

  it('have a bar within the columns however short, late or unfinished they are', () => {
    const times = fc.record({
      start: fc.nat(20_000),
      length: fc.option(fc.nat(20_000), { nil: null }),
    });
    fc.assert(
      fc.property(
        fc.array(times, { minLength: 1 }),
        fc.integer({ min: 20, max: 120 }),
        (rows, columns) => {
          const drawn = rows.map(({ length, start }, index) =>
            taskReport(`t${index}`, {
              started_ms: start,
              finished_ms: length === null ? null : start + length,
            }),
          );
          const lines = timeline(runReport({ tasks: drawn, metrics }), {
            paint: plain,
            columns,
          }).slice(0, -1);
          expect(lines).toHaveLength(rows.length);
          for (const line of lines) {
            expect(line).toMatch(/─/);
            expect(widthOf(line)).toBeLessThanOrEqual(Math.max(columns, 16));
          }
        },
      ),
    );
  });

  it('have no timeline when none has started', () => {
    expect(timeline(runReport({ tasks: tasks.slice(2) }), { paint: plain, columns: 80 })).toEqual(
      [],
    );
  });
});
