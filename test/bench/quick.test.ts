import { spawnSync } from 'node:child_process';
import { beforeAll, describe, expect, it } from 'vitest';

/** Whether the suite still runs and says what it should; what it measures here is of no account. */
describe('the benchmarks', () => {
  const main = 'test/bench/main.mjs';
  let printed: Record<string, unknown>[] = [];
  let lines: Record<string, unknown>[] = [];
  let stderr = '';

  beforeAll(() => {
    const args = ['--expose-gc', main, '--quick'];
    const suite = spawnSync(process.execPath, args, { encoding: 'utf8' });
    const texts = suite.stdout.trim().split('\n');
    printed = texts.map((text) => JSON.parse(text) as Record<string, unknown>);
    lines = printed.slice(0, -1);
    ({ stderr } = suite);
  }, 300_000);

  it('print a line for every figure, with what it is judged by', () => {
    for (const line of lines) {
      expect(line, stderr).toEqual({
        bench: expect.any(String),
        case: expect.any(String),
        n: expect.any(Number),
        ratio: line['fails_at'] === null && line['ratio'] === null ? null : expect.any(Number),
        against: line['ratio'] === null ? null : expect.any(String),
        target: line['target'] === null ? null : expect.any(Number),
        fails_at: line['fails_at'] === null ? null : expect.any(Number),
        ok: expect.any(Boolean),
        figures: expect.any(Object),
      });
    }
  });

  it('carry out every load', () => {
    const loads = new Set(lines.map(({ bench }) => bench));
    expect(loads, stderr).toEqual(
      new Set([
        'start-up',
        'supervision',
        'graphs',
        'live workers',
        'durable',
        'durable-laws',
        'tasks',
        'memory',
        'scheduling',
        'fairness',
        'admission',
        'embedded bus',
        'publishing',
        'nats bus',
        'bus storage',
        'bus journal',
        'key watch',
        'slow consumer',
        'shared-memory',
        'projections',
        'provider',
        'remote-work',
      ]),
    );
  });

  it('find a number for every figure', () => {
    const broken = lines.filter(({ figures }) =>
      Object.values(figures as object).some((value) => value === null || Number.isNaN(value)),
    );
    expect(broken).toEqual([]);
  });

  it('end with a summary', () => {
    expect(printed.at(-1), stderr).toMatchObject({
      bench: 'summary',
      lines: lines.length,
      ok: expect.any(Boolean),
      node: process.version,
    });
  });

  it('refuse a load that does not exist', () => {
    const { status, stderr: told } = spawnSync(process.execPath, [main, '--only', 'nothing'], {
      encoding: 'utf8',
    });
    expect([status, told]).toEqual([2, expect.stringContaining('start-up, graphs')]);
  });
});
