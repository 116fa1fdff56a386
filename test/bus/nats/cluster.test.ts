import { connect } from 'nats';
import { afterEach, describe, expect, it } from 'vitest';
import type { Bus } from '../../../src/bus/bus.ts';
import { connectBus } from '../../../src/runtime/connect-bus.ts';
import { eventually } from '../../support/eventually.ts';
import { startNatsCluster } from '../../support/nats-cluster.ts';
import type { NatsCluster } from '../../support/nats-cluster.ts';
import { natsServers } from '../../support/nats-server.ts';
import { untilDone } from './support/until-done.ts';

describe.each(natsServers())('a cluster of nats-server $version', (version) => {
  let cluster: NatsCluster | undefined;
  let buses: Bus[] = [];
  afterEach(async () => {
    await Promise.all(buses.map((bus) => bus.close()));
    await cluster?.stop();
    [cluster, buses] = [undefined, []];
  });
  const begin = async (): Promise<NatsCluster> => {
    cluster = await startNatsCluster(version);
    return cluster;
  };
  const open = async (url: string, replicas = 1): Promise<Bus> => {
    const bus = await connectBus({ url, replicas, closeTimeoutMs: 1_000 });
    buses.push(bus);
    return bus;
  };

  it('is known whole to who was given one address: another server takes over', async () => {
    const { servers } = await begin();
    const bus = await open(servers[0]?.url ?? '');
    const other = await open(servers[1]?.url ?? '');
    other.subscribe('echo', (message) => message.respond(message.payload));
    await other.flush();
    await servers[0]?.kill();
    const answer = await untilDone(() => bus.request('echo', 'still there', { timeoutMs: 500 }));
    expect(answer).toBe('still there');
  }, 120_000);

  it('keeps three copies of a log, and goes on when the leader is killed', async () => {
    const { servers, url } = await begin();
    const bus = await open(url, 3);
    const log = await bus.log('jrn', 'run');
    for (let entry = 1; entry <= 20; entry++) await log.append(entry);
    const leader = await leaderOf(url, `TROUPE_${bus.ns}_JRN`);
    expect(leader.replicas).toBe(2);
    const killed = servers[Number(leader.name.replace('node-', ''))];
    await killed?.kill();
    for (let entry = 21; entry <= 40; entry++) await untilDone(() => log.append(entry));
    expect(await log.lastSeq()).toBe(40);
    await killed?.start();
    await eventually('it is whole again', async () => {
      const { current } = await leaderOf(url, `TROUPE_${bus.ns}_JRN`);
      return current === 2;
    });
  }, 120_000);
});

interface StreamInfo {
  readonly cluster?: {
    readonly leader?: string;
    readonly replicas?: readonly { readonly current: boolean }[];
  };
}

async function leaderOf(
  url: string,
  stream: string,
): Promise<{ name: string; replicas: number; current: number }> {
  const connection = await connect({ servers: url.replaceAll('nats://', '').split(',') });
  try {
    const answer = await connection.request(`$JS.API.STREAM.INFO.${stream}`, '');
    const { cluster } = answer.json<StreamInfo>();
    const replicas = cluster?.replicas ?? [];
    const current = replicas.filter((one) => one.current).length;
    return { name: cluster?.leader ?? '', replicas: replicas.length, current };
  } finally {
    await connection.close();
  }
}
