import { afterAll, beforeAll, describe } from 'vitest';
import type { Bus } from '../../../src/bus/bus.ts';
import { createEmbeddedBus } from '../../../src/bus/embedded/embedded-bus.ts';
import { connectNats } from '../../../src/bus/nats/connect.ts';
import { systemClock } from '../../../src/core/clock.ts';
import type { JournalStore } from '../../../src/journal/journal.ts';
import { openBusStore } from '../../../src/journal/stores/bus-store/bus-store.ts';
import { freshNamespace } from '../../conformance/bus/under-test.ts';
import { journalSuite } from '../../conformance/journal-suite.ts';
import { natsServers, startNatsServer } from '../../support/nats-server.ts';
import type { NatsServer } from '../../support/nats-server.ts';

const schedule = (fn: () => void): void => void setImmediate(fn);
let opened: Bus[] = [];

function storeOn(bus: Bus): JournalStore {
  opened.push(bus);
  return openBusStore({ bus, node: 'node-test', clock: systemClock, schedule });
}

afterAll(async () => {
  await Promise.all(opened.map((bus) => bus.close()));
  opened = [];
});

journalSuite('the journal on the embedded bus', {
  open: async () =>
    storeOn(
      createEmbeddedBus({
        clock: systemClock,
        ns: freshNamespace(),
        schedule,
        onError: () => undefined,
      }),
    ),
});

describe.each(natsServers())('nats-server $version', (binary) => {
  let server: NatsServer;
  beforeAll(async () => {
    server = await startNatsServer({ server: binary });
  });
  afterAll(async () => {
    await Promise.all(opened.splice(0).map((bus) => bus.close()));
    await server.stop();
  });

  journalSuite(`the journal on NATS ${binary.version}`, {
    open: async () =>
      storeOn(
        await connectNats({
          url: server.url,
          ns: freshNamespace(),
          clock: systemClock,
          schedule,
        }),
      ),
  });
});
