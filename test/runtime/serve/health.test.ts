import { afterEach, describe, expect, it } from 'vitest';
import { serveHealth } from '../../../src/runtime/serve/health.ts';
import type { HealthChecks, HealthServer } from '../../../src/runtime/serve/health.ts';

let server: HealthServer | undefined;
let checks: HealthChecks = {};

afterEach(async () => {
  await server?.close();
  server = undefined;
});

async function ask(path: string, method = 'GET'): Promise<[number, unknown]> {
  server ??= await serveHealth({ port: 0, ready: () => checks });
  const answer = await fetch(`http://127.0.0.1:${server.port}${path}`, { method });
  return [answer.status, await answer.json()];
}

describe('the health endpoint', () => {
  it('says that the process lives, whatever it can do', async () => {
    checks = { bus: 'disconnected' };
    expect(await ask('/healthz')).toEqual([200, { status: 'ok' }]);
  });

  it('says that the process is ready when every check is ok', async () => {
    checks = { bus: 'ok', journal: 'ok' };
    expect(await ask('/readyz')).toEqual([200, { status: 'ok', checks }]);
  });

  it('says why the process is not ready', async () => {
    checks = { bus: 'disconnected', journal: 'ok' };
    expect(await ask('/readyz?verbose')).toEqual([503, { status: 'not ready', checks }]);
  });

  it('answers nothing else', async () => {
    expect((await ask('/'))[0]).toBe(404);
    expect((await ask('/readyz', 'POST'))[0]).toBe(405);
  });

  it('refuses a port that is taken, and says so', async () => {
    await ask('/healthz');
    const port = server?.port ?? 0;
    await expect(serveHealth({ port, ready: () => checks })).rejects.toMatchObject({
      code: 'TRP_OPTION_INVALID',
      place: `127.0.0.1:${port}`,
    });
  });
});
