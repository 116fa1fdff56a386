import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Bus } from '../../src/bus/bus.ts';
import { createEmbeddedBus } from '../../src/bus/embedded/embedded-bus.ts';
import { connectNats } from '../../src/bus/nats/connect.ts';
import { systemClock } from '../../src/core/clock.ts';
import { freshNamespace } from '../conformance/bus/under-test.ts';
import { stories } from '../conformance/differential/operations.ts';
import type { Operation } from '../conformance/differential/operations.ts';
import { Teller } from '../conformance/differential/teller.ts';
import type { Heard } from '../conformance/differential/teller.ts';
import { eventually } from '../support/eventually.ts';
import { natsServers, startNatsServer } from '../support/nats-server.ts';
import type { NatsServer } from '../support/nats-server.ts';

/** More stories: TROUPE_DIFFERENTIAL_STORIES. A failure names its seed, for TROUPE_DIFFERENTIAL_SEED. */
const count = Number(process.env['TROUPE_DIFFERENTIAL_STORIES'] ?? 200);
const seed = Number(process.env['TROUPE_DIFFERENTIAL_SEED'] ?? Date.now() % 2 ** 31);

/** Stories that share a namespace: fewer would spend their time making streams, more make the server slow. */
const chunkSize = 25;

const schedule = (fn: () => void): void => void setImmediate(fn);

describe.each(natsServers())('nats-server $version', (binary) => {
  let server: NatsServer;
  beforeAll(async () => {
    server = await startNatsServer({ server: binary });
  });
  afterAll(() => server.stop());

  const seeds = Array.from({ length: Math.ceil(count / chunkSize) }, (_, index) => seed + index);

  it.each(seeds)('gives what the embedded bus gives in every story, seed %i', async (own) => {
    const ns = freshNamespace();
    const errors: unknown[] = [];
    const common = { ns, clock: systemClock, schedule, onError: (e: unknown) => errors.push(e) };
    const [embedded, nats] = [
      createEmbeddedBus(common),
      await connectNats({ ...common, url: server.url }),
    ];
    let told = 0;
    try {
      await fc.assert(
        fc.asyncProperty(stories, async (story) => {
          await tellBoth(embedded, nats, { name: `s${++told}`, story });
        }),
        { seed: own, numRuns: Math.min(chunkSize, count) },
      );
    } finally {
      await Promise.all([embedded.close(), nats.close()]);
    }
    expect(errors).toEqual([]);
  });
});

async function tellBoth(
  embedded: Bus,
  nats: Bus,
  { name, story }: { name: string; story: readonly Operation[] },
): Promise<void> {
  const [one, other] = [await Teller.begin(embedded, name), await Teller.begin(nats, name)];
  try {
    for (const [index, operation] of story.entries()) {
      const expected = await one.tell(operation);
      const got = await (canBeLate(operation)
        ? awaited(other, operation, expected)
        : other.tell(operation));
      expect(got, `step ${index}: ${JSON.stringify(operation)}`).toEqual(expected);
      if (operation.type === 'settle') await sameLetters(one, other);
    }
    await sameHeard(one.heard, other.heard);
  } finally {
    one.end();
    other.end();
  }
}

const lettersStep: Operation = { part: 'work', type: 'letters' };

/** A server may need a moment until it counts an item as dead. */
function canBeLate({ type }: Operation): boolean {
  return type === 'letters' || type === 'depth';
}

/** What a step gives, asked again until it is what is expected or a while is over. */
async function awaited(teller: Teller, operation: Operation, expected: unknown): Promise<unknown> {
  const wanted = JSON.stringify(expected);
  let got: unknown;
  for (let turn = 0; turn < 400; turn++) {
    got = await teller.tell(operation);
    if (JSON.stringify(got) === wanted) break;
    await delay(5);
  }
  return got;
}

async function sameLetters(one: Teller, other: Teller): Promise<void> {
  const expected = await one.tell(lettersStep);
  expect(await awaited(other, lettersStep, expected), 'dead letters').toEqual(expected);
}

/** What arrives by itself may take its time on a server; what is wrong stays wrong. */
async function sameHeard(expected: readonly Heard[], got: readonly Heard[]): Promise<void> {
  const total = (all: readonly Heard[]): number =>
    all.reduce((sum, { events }) => sum + events.length, 0);
  await eventually('all is heard', () => total(got) >= total(expected)).catch(() => undefined);
  expect(got).toEqual(expected);
}
