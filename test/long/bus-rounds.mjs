/**
 * 200 rounds of blows at processes that serve one NATS server, and at the server itself, on each server version:
 * `node test/long/bus-rounds.mjs [rounds] [seed]`. Takes about as many seconds as there are rounds, times three. Ends
 * with 0 when nothing was lost, applied twice or stuck; a failure names its seed.
 */
import { spawnSync } from 'node:child_process';

const [rounds = '200', seed = String(Date.now() % 2 ** 31)] = process.argv.slice(2);
process.stderr.write(`${rounds} rounds, seed ${seed}\n`);
const { status } = spawnSync('npx', ['vitest', 'run', 'test/integration/bus-kill-rounds.test.ts'], {
  stdio: 'inherit',
  env: { ...process.env, TROUPE_BUS_ROUNDS: rounds, TROUPE_BUS_SEED: seed },
});
process.exitCode = status ?? 1;
