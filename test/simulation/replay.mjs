import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { compileSimulation } from './compile.mjs';

/**
 * Carries one seed out and prints its trace, its violations and the faults that are needed for them:
 * `node test/simulation/replay.mjs --seed 123 [--faults crash,pause]`.
 */
const args = process.argv.slice(2);
/** @param {string} name */
const option = (name) => args[args.indexOf(name) + 1];
const seed = args.includes('--seed') ? option('--seed') : '0';
const faults = args.includes('--faults') ? [option('--faults') ?? ''] : [];

const compiled = compileSimulation();
try {
  const program = join(compiled, 'test/simulation/run-seeds.js');
  const { status } = spawnSync(
    process.execPath,
    [program, `${seed}`, `${seed}`, 'trace', ...faults],
    {
      stdio: 'inherit',
    },
  );
  process.exitCode = status ?? 1;
} finally {
  rmSync(compiled, { recursive: true, force: true });
}
