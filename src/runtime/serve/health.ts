import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { messageOf, TroupeError } from '../../core/errors.ts';

/** What is looked at, by name: `ok`, or in a few words what is wrong. */
export interface HealthChecks {
  readonly [name: string]: string;
}

/** What the endpoint is made from. */
export interface HealthOptions {
  /** 0: any free one. */
  readonly port: number;
  /** Address to listen on. Default `127.0.0.1`; `0.0.0.0` lets other hosts ask. */
  readonly host?: string;
  /** Whether this process takes work right now; all of them must be `ok`. */
  readonly ready: () => HealthChecks;
}

/** An endpoint that answers until it is closed. */
export interface HealthServer {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Serves `GET /healthz` (200 as long as the process answers at all) and `GET /readyz` (200 when it takes work,
 * 503 with the reason otherwise), both as a small JSON object.
 * @throws TroupeError TRP_OPTION_INVALID when the port cannot be listened on
 */
export async function serveHealth(options: HealthOptions): Promise<HealthServer> {
  const { port, host = '127.0.0.1', ready } = options;
  const server = createServer((request, response) => answer(request, response, ready));
  // Whoever only looks must not keep the process from ending.
  server.keepAliveTimeout = 1_000;
  server.listen(port, host);
  await listening(server, `${host}:${port}`);
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      server.close();
      server.closeAllConnections();
      if (server.listening) await once(server, 'close');
    },
  };
}

function answer(
  { method, url = '' }: IncomingMessage,
  response: ServerResponse,
  ready: HealthOptions['ready'],
): void {
  const [path] = url.split('?');
  if (path !== '/healthz' && path !== '/readyz')
    return respond(response, 404, { error: 'There are /healthz and /readyz.' });
  if (method !== 'GET' && method !== 'HEAD')
    return respond(response, 405, { error: 'Only GET and HEAD are answered.' });
  if (path === '/healthz') return respond(response, 200, { status: 'ok' });
  const checks = ready();
  const isReady = Object.values(checks).every((found) => found === 'ok');
  respond(response, isReady ? 200 : 503, { status: isReady ? 'ok' : 'not ready', checks });
}

function respond(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'no-store',
  });
  response.end(`${JSON.stringify(body)}\n`);
}

async function listening(server: Server, place: string): Promise<void> {
  try {
    await once(server, 'listening');
  } catch (error) {
    throw new TroupeError(
      'TRP_OPTION_INVALID',
      `The health endpoint cannot listen on ${place}: ${messageOf(error)}`,
      { place, hint: 'Choose another port, or 0 for any free one.', cause: error },
    );
  }
}
