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

/** How often a cluster whose servers do not agree on a leader is begun anew. */
const tries = 3;

/**
 * Starts three servers that know each other; resolves when they keep a stream in three copies. Elections have timeouts of
 * their own, which a busy machine can miss again and again: such a cluster is stopped and begun anew on other ports.
 */
export async function startNatsCluster(server: NatsServerVersion): Promise<NatsCluster> {
  for (let attempt = 1; ; attempt++) {
    const servers = await startMembers(server);
    const stop = async (): Promise<void> => {
      await Promise.all(servers.map((one) => one.stop()));
    };
    try {
      await eventually('the cluster takes a stream', () => takesStream(servers[0]?.url ?? ''));
      return { servers, url: servers.map(({ url }) => url).join(','), stop };
    } catch (error) {
      const logs = servers.map((one) => one.log()).join('\n');
      await stop();
      if (attempt === tries) throw new Error(`The cluster never began:\n${logs}`, { cause: error });
    }
  }
}

async function startMembers(server: NatsServerVersion): Promise<readonly NatsServer[]> {
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
  return await Promise.all(routes.map(start));
}

async function takesStream(url: string): Promise<boolean> {
  const connection = await connect({ servers: url }).catch(() => undefined);
  if (!connection) return false;
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
