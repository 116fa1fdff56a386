import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { ignoreLateAcknowledgements } from '../adversarial/quiet.ts';
import { compileSimulation } from './compile.mjs';
import { liveSeed } from './world-of-seed.ts';

ignoreLateAcknowledgements();

const seeds = { first: 9_000, last: 9_219 };

const run = promisify(execFile);
let compiled: string;

beforeAll(() => {
  compiled = compileSimulation();
}, 300_000);

afterAll(() => rmSync(compiled, { recursive: true, force: true }));

interface Line {
  readonly seed: number;
  readonly hash: string;
}

/** The lines of a process of its own: a hash for every seed. */
async function linesOfProcess(mode: 'hash' | 'slow'): Promise<readonly unknown[]> {
  const program = join(compiled, 'test/simulation/run-seeds.js');
  const { first, last } = seeds;
  const { stdout } = await run(process.execPath, [program, `${first}`, `${last}`, mode]);
  const lines = stdout.trim().split('\n');
  return lines.map((line) => JSON.parse(line) as unknown);
}

describe('the trace of a seed', () => {
  it(
    'is the same in a process that is slow at random, and in this one',
    { timeout: 300_000 },
    async () => {
      const [lines, slow] = await Promise.all([linesOfProcess('hash'), linesOfProcess('slow')]);
      expect(lines.length).toBeGreaterThanOrEqual(180);
      expect(slow.slice(0, -1)).toEqual(lines);
      for (const { seed, hash } of (lines as readonly Line[]).slice(0, 10))
        expect((await liveSeed(seed))?.hash, `seed ${seed}`).toBe(hash);
      // Time of the world goes on while a disk works: nothing may ever wait for one.
      expect(slow.at(-1)).toEqual({ outside: {} });
    },
  );
});
