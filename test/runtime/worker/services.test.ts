import { connect, RequestStrategy } from 'nats';
import type { NatsConnection } from 'nats';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { natsServers, startNatsServer } from '../../support/nats-server.ts';
import type { NatsServer } from '../../support/nats-server.ts';
import { remoteTask, Stage } from './worker-kit.ts';

let server: NatsServer;
let client: NatsConnection;
const stage = new Stage();

beforeAll(async () => {
  server = await startNatsServer({ server: natsServers()[0] });
  client = await connect({ servers: server.url });
});
afterEach(() => stage.end());
afterAll(async () => {
  await client.close();
  await server.stop();
});

async function ask(subject: string): Promise<Record<string, unknown>> {
  return (await client.request(subject)).json();
}

it('shows the pools of a worker host to the tools of NATS', async () => {
  const functions = {
    work: () => {
      throw new Error('no luck');
    },
  };
  const pools = ['gpu', 'cpu'];
  const worker = await stage.worker({ bus: server.url, pools, functions, concurrency: 3 });
  const troupe = await stage.troupe({ bus: server.url });
  await (await troupe.run(remoteTask({ retry: { max_attempts: 1 } }))).outcome();

  const ping = await ask(`$SRV.PING.troupe-gpu.${worker.id}`);
  expect(ping).toMatchObject({
    type: 'io.nats.micro.v1.ping_response',
    name: 'troupe-gpu',
    id: worker.id,
    metadata: { pool: 'gpu', slots: '3' },
  });
  const info = await ask('$SRV.INFO.troupe-cpu');
  expect(info).toMatchObject({ type: 'io.nats.micro.v1.info_response', name: 'troupe-cpu' });
  const stats = await ask('$SRV.STATS.troupe-gpu');
  expect(stats).toMatchObject({
    type: 'io.nats.micro.v1.stats_response',
    endpoints: [
      {
        name: 'attempts',
        subject: 'troupe.v1.default.work.gpu.*',
        num_requests: 1,
        num_errors: 1,
        last_error: 'no luck',
        data: { busy: 0, agents: { a: 1 } },
      },
    ],
  });
});

it('answers what the client library of NATS asks of all services', async () => {
  await stage.worker({ bus: server.url, pools: ['gpu', 'cpu'] });
  const found: string[] = [];
  const monitor = client.services.client({ strategy: RequestStrategy.Timer, maxWait: 500 });
  for await (const { name } of await monitor.stats()) found.push(name);
  for await (const { name } of await monitor.info('troupe-gpu')) found.push(name);
  expect(found.toSorted()).toEqual(['troupe-cpu', 'troupe-gpu', 'troupe-gpu']);
});

it('is gone from the tools once the host has ended', async () => {
  const worker = await stage.worker({ bus: server.url, pools: ['gpu'] });
  await worker.drain();
  await expect(ask('$SRV.PING.troupe-gpu')).rejects.toThrow();
});
