import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import type { Bus } from '../../src/bus/bus.ts';
import { connectBus } from '../../src/runtime/connect-bus.ts';
import type { Troupe } from '../../src/runtime/api.ts';
import { createTroupe } from '../../src/runtime/troupe.ts';
import { eventually } from '../support/eventually.ts';
import { startNatsServer } from '../support/nats-server.ts';
import type { NatsServer } from '../support/nats-server.ts';

/** A run in which a breaker opens, agents turn unhealthy, a threshold is passed and a barrier times out. */
const document = {
  version: 1,
  name: 'alarming',
  health: { max_error_rate: '50%', min_calls: 2 },
  monitoring: { interval: '100ms', thresholds: { response_time: '1ms' } },
  agents: {
    bad: { uses: 'function', module: 'host:bad', breaker: { minimum_calls: 2, when_open: 'fail' } },
    slow: { uses: 'function', module: 'host:slow' },
  },
  tasks: {
    f1: { agent: 'bad', retry: 1 },
    f2: { agent: 'bad', retry: 1 },
    s1: { agent: 'slow' },
    s2: { agent: 'slow' },
    quick: { agent: 'slow' },
    stay: { agent: 'slow', with: { held: true } },
    held: { agent: 'slow', with: { held: true } },
  },
  groups: {
    g: {
      tasks: ['quick', 'held'],
      barrier: { min_success: 1, timeout: '300ms', notify: 'operators' },
    },
  },
};

const kinds = ['barrier', 'breaker', 'health', 'threshold'];

/** Alerts of a run by the kind that their subject names, as a subscriber hears them. */
class Heard {
  readonly alerts = new Map<string, object[]>();

  constructor(bus: Bus) {
    bus.subscribe(`troupe.v1.${bus.ns}.alert.>`, ({ subject, payload }) => {
      const kind = subject.split('.').at(-1) ?? '';
      this.alerts.set(kind, [...(this.alerts.get(kind) ?? []), payload as object]);
    });
  }

  get all(): boolean {
    return kinds.every((kind) => this.alerts.has(kind));
  }
}

async function expectAll(troupe: Troupe, heard: Heard): Promise<void> {
  const run = await troupe.run(document);
  await eventually('an alert of every kind is heard', () => heard.all);
  await run.cancel();
  const first = (kind: string): object | undefined => heard.alerts.get(kind)?.[0];
  expect(first('breaker')).toMatchObject({ run: run.id, breaker: 'agent:bad', state: 'open' });
  expect(first('health')).toMatchObject({ run: run.id, state: 'unhealthy' });
  expect(first('threshold')).toMatchObject({ run: run.id, state: 'passed' });
  expect(first('barrier')).toMatchObject({ run: run.id, group: 'g', to: 'operators' });
}

function make(bus?: string): Promise<Troupe> {
  const wait = (ms: number, signal: AbortSignal): Promise<null> =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => resolve(null), ms);
      signal.addEventListener('abort', () => {
        clearTimeout(timer);
        reject(signal.reason as Error);
      });
    });
  return createTroupe({
    ...(bus === undefined ? {} : { bus }),
    functions: {
      bad: () => Promise.reject(new Error('down')),
      slow: ({ signal, input }) =>
        wait((input as { held?: boolean } | null)?.held ? 60_000 : 20, signal),
    },
  });
}

describe('alerts of a run', () => {
  let server: NatsServer;
  let troupe: Troupe | undefined;
  let other: Bus | undefined;
  beforeAll(async () => {
    server = await startNatsServer();
  });
  afterEach(async () => {
    await other?.close();
    await troupe?.close();
    other = undefined;
    troupe = undefined;
  });
  afterAll(() => server.stop());

  it('reach who subscribes to them on the embedded bus', async () => {
    troupe = await make();
    await expectAll(troupe, new Heard(troupe.bus));
  });

  it('reach who subscribes to them on a server, from another connection', async () => {
    other = await connectBus({ url: server.url });
    const heard = new Heard(other);
    await other.flush();
    troupe = await make(server.url);
    await expectAll(troupe, heard);
  });
});
