import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HistoryFile, withSample } from '../../src/runtime/history.ts';
import { createTroupe } from '../../src/runtime/troupe.ts';
import type { AgentTimes } from '../../src/planning/duration-history.ts';

let folder = '';
const warnings: string[] = [];
const logger = { warn: (text: string) => void warnings.push(text) };

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'troupe-history-'));
  warnings.length = 0;
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const file = () => join(folder, 'durations.json');

describe('the history of durations', () => {
  it('is empty at first, without a word', () => {
    expect(new HistoryFile(folder, logger).of('flow')).toBeUndefined();
    expect(warnings).toEqual([]);
  });

  it('is there for the next process, for nobody but its owner to read', () => {
    new HistoryFile(folder, logger).learn('flow', [{ agent: 'a', ms: 100 }]);
    expect(new HistoryFile(folder, logger).of('flow')).toEqual({
      a: { count: 1, meanMs: 100, p90Ms: 100 },
    });
    expect(readdirSync(folder)).toEqual(['durations.json']);
    if (process.platform !== 'win32') expect(statSync(file()).mode & 0o777).toBe(0o600);
  });

  it('keeps what another process has learned meanwhile', () => {
    const one = new HistoryFile(folder, logger);
    const other = new HistoryFile(folder, logger);
    expect([one.of('x'), other.of('x')]).toEqual([undefined, undefined]);
    one.learn('x', [{ agent: 'a', ms: 1 }]);
    other.learn('y', [{ agent: 'b', ms: 2 }]);
    const third = new HistoryFile(folder, logger);
    expect([third.of('x')?.['a']?.meanMs, third.of('y')?.['b']?.meanMs]).toEqual([1, 2]);
  });

  it.each([
    '',
    '{',
    'null',
    '[]',
    '{"format":2}',
    '{"format":1,"workflows":{"flow":{"a":{"count":"x"}}}}',
  ])('counts as empty when the file holds %s, and is written anew', (text) => {
    writeFileSync(file(), text);
    const history = new HistoryFile(folder, logger);
    expect(history.of('flow')?.['a']).toBeUndefined();
    expect(warnings.length).toBe(text.startsWith('{"format":1') ? 0 : 1);
    history.learn('flow', [{ agent: 'a', ms: 5 }]);
    expect(new HistoryFile(folder, logger).of('flow')?.['a']?.count).toBe(1);
  });

  it('remembers 200 workflows, the latest', () => {
    const history = new HistoryFile(folder, logger);
    for (let at = 0; at < 205; at++) history.learn(`flow${at}`, [{ agent: 'a', ms: at }]);
    const kept = JSON.parse(readFileSync(file(), 'utf8')) as { workflows: object };
    expect(Object.keys(kept.workflows)).toHaveLength(200);
    expect([history.of('flow4'), history.of('flow204')?.['a']?.meanMs]).toEqual([undefined, 204]);
  });

  it('takes names as they are, even those of objects', () => {
    new HistoryFile(folder, logger).learn('__proto__', [{ agent: 'constructor', ms: 7 }]);
    const known = new HistoryFile(folder, logger);
    expect(known.of('__proto__')?.['constructor']).toMatchObject({ meanMs: 7 });
    expect(known.of('toString')).toBeUndefined();
  });

  it('is told when it cannot be written, and stops nobody', () => {
    writeFileSync(join(folder, 'not-a-folder'), '');
    new HistoryFile(join(folder, 'not-a-folder'), logger).learn('flow', [{ agent: 'a', ms: 1 }]);
    expect(warnings.at(-1)).toContain('cannot be written');
  });
});

describe('withSample', () => {
  it('stays between the least and the most that was seen', () => {
    const samples = fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1 });
    fc.assert(
      fc.property(samples, (list) => {
        const times = list.reduce<AgentTimes | undefined>(withSample, undefined);
        expect(times?.count).toBe(list.length);
        expect(times?.meanMs).toBeGreaterThanOrEqual(Math.min(...list) - 1e-6);
        expect(times?.meanMs).toBeLessThanOrEqual(Math.max(...list) + 1e-6);
        expect(times?.p90Ms).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  it('follows a change within some samples', () => {
    let times: AgentTimes | undefined;
    for (let at = 0; at < 50; at++) times = withSample(times, 100);
    for (let at = 0; at < 15; at++) times = withSample(times, 1000);
    expect(times?.meanMs).toBeGreaterThan(900);
  });

  it('finds about the ninth of ten', () => {
    let times: AgentTimes | undefined;
    for (let at = 0; at < 2000; at++) times = withSample(times, 100 + ((at * 7) % 10) * 10);
    expect(times?.p90Ms).toBeGreaterThan(150);
    expect(times?.p90Ms).toBeLessThan(230);
  });
});

describe('a run', () => {
  it('leaves behind how long its agents took, per medium task, and the next plan knows', async () => {
    const troupe = await createTroupe({ dataDir: folder, control: false });
    const tasks = {
      a: { agent: 'w', with: { duration: '${input.d}' } },
      b: { agent: 'w', complexity: 'very_high', with: { duration: '${input.d}' } },
      c: { agent: 'bad', with: { duration: 1, fail: true }, retry: 1, default: 1 },
    };
    const agents = { w: { uses: 'simulate' }, bad: { uses: 'simulate' } };
    const document = { version: 1, name: 'flow', agents, tasks, inputs: { d: 40 } };
    await (await troupe.run(document)).outcome();
    await troupe.close();
    const known = new HistoryFile(folder, logger).of('flow');
    expect(Object.keys(known ?? {})).toEqual(['w']);
    // One of the two took twice the work of a medium task.
    expect(known?.['w']?.count).toBe(2);
    expect(known?.['w']?.meanMs).toBeGreaterThan(15);
  });

  it('that was simulated leaves nothing', async () => {
    const troupe = await createTroupe({ dataDir: folder, control: false });
    const document = {
      version: 1,
      agents: { w: { uses: 'simulate' } },
      tasks: { a: { agent: 'w' } },
    };
    await (await troupe.run(document, {}, { simulate: true })).outcome();
    await troupe.close();
    expect(readdirSync(folder)).not.toContain('durations.json');
  });
});
