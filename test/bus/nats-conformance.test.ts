import { afterAll, beforeAll, describe } from 'vitest';
import { connectNats } from '../../src/bus/nats/connect.ts';
import { systemClock } from '../../src/core/clock.ts';
import { busSuite } from '../conformance/bus-suite.ts';
import { natsServers, startNatsServer } from '../support/nats-server.ts';
import type { NatsServer } from '../support/nats-server.ts';

const schedule = (fn: () => void): void => void setImmediate(fn);

describe.each(natsServers())('nats-server $version', (binary) => {
  let server: NatsServer;
  beforeAll(async () => {
    server = await startNatsServer({ server: binary });
  });
  afterAll(() => server.stop());

  busSuite({
    name: `NATS ${binary.version}`,
    open: ({ ns, onError }) =>
      connectNats({ url: server.url, ns, clock: systemClock, schedule, onError }),
  });
});
