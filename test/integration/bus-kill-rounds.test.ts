import { afterEach, describe, expect, it } from 'vitest';
import { natsServers } from '../support/nats-server.ts';
import { BusRounds } from './support/bus-rounds.ts';
import { servedTasks } from './support/served-world.ts';

const servers = natsServers();

/** Eight over all servers; more on each of them: TROUPE_BUS_ROUNDS. Other blows: TROUPE_BUS_SEED. */
const rounds = Number(process.env['TROUPE_BUS_ROUNDS'] ?? Math.ceil(8 / servers.length));
const seed = Number(process.env['TROUPE_BUS_SEED'] ?? 77);

let playing: BusRounds | undefined;

afterEach(() => playing?.close());

describe.each(servers)('runs on nats-server $version under blows', (server) => {
  const title =
    'loses none, applies no result twice, and leaves none stuck, whoever is killed or held';
  // Real processes race, so that a seed is not a whole story; whoever needs another try is named at the end.
  it(title, { timeout: 60_000 + rounds * 20_000, retry: 3 }, async () => {
    playing = new BusRounds({ seed, rounds, server });
    const result = await playing.play();
    if (process.env['TROUPE_BUS_ROUNDS'] !== undefined)
      process.stderr.write(`${JSON.stringify({ server: server.version, seed, ...result })}\n`);
    expect(result).toMatchObject({ runs: rounds, operations: rounds * servedTasks.length });
  });
});
