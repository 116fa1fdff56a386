import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { ignoreLateAcknowledgements } from '../adversarial/quiet.ts';
import { compileSimulation } from './compile.mjs';
import { liveSeed } from './world-of-seed.ts';

ignoreLateAcknowledgements();

const seeds = { first: 9_000, last: 9_069 };

const run = promisify(execFile);
let compiled: string;

beforeAll(() => {
  compiled = compileSimulation();
}, 120_000);

afterAll(() => rmSync(compiled, { recursive: true, force: true }));

/** The lines of a process of its own: a hash for every seed. */
async function hashesOfProcess(): Promise<readonly string[]> {
  const program = join(compiled, 'test/simulation/run-seeds.js');
  const { first, last } = seeds;
  const { stdout } = await run(process.execPath, [program, `${first}`, `${last}`, 'hash']);
  return stdout.trim().split('\n');
}

describe('the trace of a seed', () => {
  it('is the same in two processes, and in this one', { timeout: 120_000 }, async () => {
    const [one, other] = await Promise.all([hashesOfProcess(), hashesOfProcess()]);
    expect(one?.length).toBeGreaterThanOrEqual(50);
    expect(other).toEqual(one);
    const known = new Map(one?.map((line) => parsed(line)));
    for (const seed of [...known.keys()].slice(0, 10))
      expect((await liveSeed(seed))?.hash, `seed ${seed}`).toBe(known.get(seed));
  });
});

function parsed(line: string): readonly [number, string] {
  const { seed, hash } = JSON.parse(line) as { seed: number; hash: string };
  return [seed, hash];
}
