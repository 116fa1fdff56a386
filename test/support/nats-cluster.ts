import { connect } from 'nats';
import { eventually } from './eventually.ts';
import { freePort, startNatsServer } from './nats-server.ts';
import type { NatsServer, NatsServerVersion } from './nats-server.ts';

/** Servers of one cluster on the loopback, each with JetStream. */
export interface NatsCluster {
  readonly servers: readonly NatsServer[];
  /** Addresses of all servers. */
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts three servers that know each other; resolves when they keep a stream in three copies. */
export async function startNatsCluster(server: NatsServerVersion): Promise<NatsCluster> {
  const routes = [await freePort(), await freePort(), await freePort()];
  const addresses = routes.map((port) => `"nats://127.0.0.1:${port}"`).join(', ');
  const start = (port: number, index: number): Promise<NatsServer> =>
    startNatsServer({
      server,
      config: [
        `server_name: node-${index}`,
        `cluster { name: troupe, host: 127.0.0.1, port: ${port}, routes: [${addresses}] }`,
      ].join('\n'),
    });
  const servers = await Promise.all(routes.map(start));
  const stop = async (): Promise<void> => {
    await Promise.all(servers.map((one) => one.stop()));
  };
  try {
    await eventually('the cluster takes a stream', () => takesStream(servers[0]?.url ?? ''));
  } catch (error) {
    await stop();
    throw error;
  }
  return { servers, url: servers.map(({ url }) => url).join(','), stop };
}

async function takesStream(url: string): Promise<boolean> {
  const connection = await connect({ servers: url });
  try {
    const config = { name: 'PROBE', subjects: ['probe'], num_replicas: 3, storage: 'memory' };
    const answer = await connection.request('$JS.API.STREAM.CREATE.PROBE', JSON.stringify(config));
    if ('error' in answer.json<object>()) return false;
    await connection.request('$JS.API.STREAM.DELETE.PROBE', '');
    return true;
  } catch {
    return false;
  } finally {
    await connection.close();
  }
}
