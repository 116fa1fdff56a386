import { afterEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/core/log.ts';
import type { Logger } from '../../src/core/log.ts';
import type { PlainObject } from '../../src/core/plain.ts';
import type { Troupe } from '../../src/runtime/api.ts';
import { createTroupe } from '../../src/runtime/troupe.ts';
import { eventually } from '../support/eventually.ts';
import { startNatsServer } from '../support/nats-server.ts';
import type { NatsServer } from '../support/nats-server.ts';

const workflow = {
  version: 1,
  name: 'seen',
  agents: { any: { uses: 'function', module: 'host:work' } },
  tasks: { a: { agent: 'any' } },
};

describe('who runs on a bus that shows nothing', () => {
  let server: NatsServer | undefined;
  let troupe: Troupe | undefined;
  const warned: { readonly message: string; readonly fields: PlainObject }[] = [];
  const logger: Logger = {
    ...silentLogger,
    warn: (message, fields = {}) => void warned.push({ message, fields }),
  };

  afterEach(async () => {
    await troupe?.close();
    await server?.stop();
    warned.length = 0;
  });

  const told = (text: RegExp): readonly PlainObject[] =>
    warned.filter(({ message }) => text.test(message)).map(({ fields }) => fields);

  it('is told once when the server has no JetStream, with the next step', async () => {
    server = await startNatsServer({ jetStream: false });
    troupe = await createTroupe({ bus: server.url, logger, functions: { work: () => 1 } });
    const run = await troupe.run(workflow);
    expect(await run.outcome()).toMatchObject({ status: 'succeeded' });
    await eventually('it is told', () => told(/not shown on the bus/).length > 0);
    expect(told(/not shown on the bus.*JetStream/)).toEqual([
      { run: run.id, bus: server.url, next: `troupe doctor --bus ${server.url}` },
    ]);
  });

  it('is told when the server goes, when the end waits for it, and what is left', async () => {
    server = await startNatsServer();
    const { url } = server;
    let end: (output: number) => void = () => undefined;
    let isBegun = false;
    const work = (): Promise<number> => {
      isBegun = true;
      return new Promise((resolve) => (end = resolve));
    };
    troupe = await createTroupe({ bus: url, logger, functions: { work } });
    const run = await troupe.run(workflow);
    await eventually('the task has begun', () => isBegun);
    await server.kill();
    await eventually('it is told', () => told(/is away/).length > 0);
    end(1);
    expect(await run.outcome()).toMatchObject({ status: 'succeeded' });
    await troupe.close();
    const next = `troupe doctor --bus ${url}`;
    expect(told(/is away/)).toEqual([{ bus: url, state: 'disconnected', next }]);
    expect(told(/^waiting up to 5 s/)).toEqual([{ bus: url, next }]);
    expect(told(/^the end of run .* is not shown/)).toMatchObject([{ run: run.id, bus: url }]);
  });
});
