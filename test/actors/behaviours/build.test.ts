import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { fixtures, isAlive } from './attempt-kit.ts';

interface Findings {
  readonly lazy: boolean;
  readonly outputs: readonly string[];
  readonly left: number;
}

let findings: Findings;

beforeAll(async () => {
  const dist = fileURLToPath(new URL('../../../dist', import.meta.url));
  const script = join(fixtures, 'from-build.mjs');
  const { stdout } = await promisify(execFile)(process.execPath, [script, dist, fixtures]);
  findings = JSON.parse(stdout);
});

it('runs isolated functions from the build', () => {
  expect(findings.outputs).toEqual(['hi', 'hi']);
});

it('loads child processes only when an agent needs them', () => {
  expect(findings.lazy).toBe(true);
});

it('kills what still runs when the process exits', async () => {
  expect(findings.left).toBeGreaterThan(0);
  await eventually('the program is gone', () => !isAlive(findings.left));
});
