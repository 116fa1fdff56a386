import { connect } from 'nats';
import { afterEach, describe, expect, it } from 'vitest';
import type { Bus } from '../../../src/bus/bus.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { openBusStore } from '../../../src/journal/stores/bus-store/bus-store.ts';
import { connectBus } from '../../../src/runtime/connect-bus.ts';
import { untilDone } from '../../bus/nats/support/until-done.ts';
import { appended, recordOf, recordsOf } from '../../conformance/journal-suite.ts';
import { startNatsCluster } from '../../support/nats-cluster.ts';
import type { NatsCluster } from '../../support/nats-cluster.ts';
import { natsServers } from '../../support/nats-server.ts';

const schedule = (fn: () => void): void => void setImmediate(fn);

describe.each(natsServers())('journals in three copies on nats-server $version', (version) => {
  let cluster: NatsCluster | undefined;
  let bus: Bus | undefined;
  afterEach(async () => {
    await bus?.close();
    await cluster?.stop();
    [cluster, bus] = [undefined, undefined];
  });

  it('lose nothing and go on when the server that leads them is killed under load', async () => {
    cluster = await startNatsCluster(version);
    const { servers, url } = cluster;
    bus = await connectBus({ url, replicas: 3, closeTimeoutMs: 1_000 });
    const journals = openBusStore({ bus, node: 'node-1', clock: systemClock, schedule });
    const run = await journals.create('run-1');
    const all: Promise<void>[] = [];
    const append = async (seq: number): Promise<void> => {
      const one = appended(run, [recordOf(seq)]);
      all.push(one);
      if (seq % 5 === 0) await one;
    };
    for (let seq = 1; seq <= 40; seq++) await append(seq);
    const leader = await leaderOf(url, `TROUPE_${bus.ns}_JRN`);
    const killed = servers[Number(leader.replace('node-', ''))]?.kill();
    for (let seq = 41; seq <= 120; seq++) await append(seq);
    await Promise.all([...all, killed]);
    expect(await untilDone(() => journals.read('run-1'))).toEqual(recordsOf(1, 120));
    await journals.close();
  }, 180_000);
});

async function leaderOf(url: string, stream: string): Promise<string> {
  const connection = await connect({ servers: url.replaceAll('nats://', '').split(',') });
  try {
    const answer = await connection.request(`$JS.API.STREAM.INFO.${stream}`, '', {
      timeout: 5_000,
    });
    const { cluster } = answer.json<{ cluster?: { leader?: string } }>();
    return cluster?.leader ?? '';
  } finally {
    await connection.close();
  }
}
