import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { createInterface } from 'node:readline';
import { describe, expect, it, onTestFinished } from 'vitest';
import { fileStore, temporaryFolder } from './support/folder.ts';

type Appender = ChildProcessByStdio<null, Readable, null>;

function appender(dataDir: string, level: string): Appender {
  const program = resolve(import.meta.dirname, 'support/appender.mjs');
  const dist = resolve(import.meta.dirname, '../../dist');
  const child = spawn(process.execPath, [program, dist, dataDir, 'run-1', level], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

/** Lets a child append until it has acknowledged so many records, kills it, and gives the last acknowledged one. */
async function killedAfter(child: Appender, acknowledgements: number): Promise<number> {
  let last = 0;
  let seen = 0;
  for await (const line of createInterface(child.stdout)) {
    const [word, number] = line.split(' ');
    if (word === 'failed') throw new Error(line);
    if (word !== 'durable') continue;
    last = Number(number);
    if (++seen === acknowledgements) child.kill('SIGKILL');
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return last;
}

describe('kill -9 of the process that writes', () => {
  it.each(['process', 'power'])(
    'loses no acknowledged record, over ten rounds, at level %s',
    async (level) => {
      const dataDir = await temporaryFolder();
      const reader = await fileStore(dataDir);
      let before = 0;
      for (let round = 0; round < 10; round++) {
        const last = await killedAfter(appender(dataDir, level), 50 + round * 37);
        const records = await reader.read('run-1');
        expect(last).toBeGreaterThan(before);
        expect(records.length).toBeGreaterThanOrEqual(last);
        expect(records.map(({ seq }) => seq)).toEqual(Array.from(records, (_, index) => index + 1));
        expect(await reader.list()).toEqual([{ run: 'run-1', owner: undefined }]);
        before = records.length;
      }
    },
  );

  it('hands the run to exactly one of two processes that race for it', async () => {
    const dataDir = await temporaryFolder();
    await killedAfter(appender(dataDir, 'process'), 20);
    const before = (await (await fileStore(dataDir)).read('run-1')).length;
    const racers = [appender(dataDir, 'process'), appender(dataDir, 'process')];
    const first = await Promise.all(racers.map(firstLine));
    for (const racer of racers) racer.kill('SIGKILL');
    const winners = first.filter((line) => line === `adopted ${before}`);
    expect(winners, first.join(' / ')).toHaveLength(1);
  });
});

/** What a child says first; empty when it ends without a word. */
async function firstLine(child: Appender): Promise<string> {
  for await (const line of createInterface(child.stdout)) return line;
  return '';
}
