/**
 * 200 rounds of blows at those who submit, own and work for others, and at their NATS server, on each server version:
 * `node test/long/bus-rounds.mjs [rounds] [seed]`. A round takes two to four seconds.
 * Writes what it has seen for each version as JSON, and ends with 0 when nothing was lost, applied twice or stuck; a
 * failure names its seed.
 */
import { spawnSync } from 'node:child_process';

const [rounds = '200', seed = String(Date.now() % 2 ** 31)] = process.argv.slice(2);
process.stderr.write(`${rounds} rounds, seed ${seed}\n`);
const { status } = spawnSync('npx', ['vitest', 'run', 'test/integration/bus-kill-rounds.test.ts'], {
  stdio: 'inherit',
  env: { ...process.env, TROUPE_BUS_ROUNDS: rounds, TROUPE_BUS_SEED: seed },
});
process.exitCode = status ?? 1;
