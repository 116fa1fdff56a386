import { workLevels } from '../../work-queue.ts';
import type { WorkQueueOptions } from '../../work-queue.ts';
import type { JetStream } from '../jetstream.ts';
import type { Readings } from '../readings.ts';
import { nanosPerMs, streamInfo } from '../streams.ts';
import type { Streams } from '../streams.ts';
import type { LevelSource } from './admission.ts';
import { DeadLetters } from './dead-letters.ts';
import { Gate } from './gate.ts';
import type { PoolParts } from './held-item.ts';
import { HoldLedger } from './hold-ledger.ts';
import { Horizon } from './horizon.ts';
import { gatePlan, levelConsumer, levelPlans, permitMarginMs } from './consumer-plans.ts';
import { ensureConsumer } from './consumers.ts';
import { poolSettings } from './pool-settings.ts';
import { Puller } from './puller.ts';
import { deadLetterStream, gateStream, holdStream, workStream } from './queue-streams.ts';

/** What all queues of a bus share. */
export interface SharedParts {
  readonly js: JetStream;
  readonly readings: Readings;
  readonly streams: Streams;
}

/** A pool whose streams and consumers are there. */
export interface OpenPool {
  readonly parts: PoolParts;
  /** The stream of items. */
  readonly stream: string;
  /** In order of level. */
  readonly sources: readonly LevelSource[];
  readonly puller: Puller;
  readonly close: () => void;
}

/** Makes what the queue of a pool needs on the server, where it is not there, and the parts that work with it. */
export async function openPool(
  shared: SharedParts,
  pool: string,
  options?: WorkQueueOptions,
): Promise<OpenPool> {
  const { js, readings } = shared;
  const { ns } = js.link;
  const wanted = poolSettings(options);
  const { work, hold, gate, letters } = await ensureStreams(shared, wanted.dedupeWindowMs);
  const [first, ...others] = levelPlans({ ns, name: pool, stream: work }, wanted);
  // The first level's consumer says what the queue was made with; the others follow it.
  const settings = first ? await ensureConsumer(js, first) : wanted;
  const followers = others.map((plan) => ({ ...plan, ackWaitMs: settings.ackWaitMs, settings }));
  const plan = gatePlan({ ns, name: pool, stream: gate }, settings);
  await Promise.all([...followers, plan].map((each) => ensureConsumer(js, each)));
  const parts = {
    js,
    pool,
    ledger: new HoldLedger(js, hold, pool),
    letters: new DeadLetters({ js, readings }, letters, pool),
    settings,
  };
  const sources = workLevels.map((level) => ({
    stream: work,
    consumer: levelConsumer(pool, level),
    level,
  }));
  const horizon = new Horizon(js, work);
  await horizon.seq();
  const source = { stream: gate, consumer: plan.name };
  const { maxInFlight, ackWaitMs } = settings;
  const permitMs = ackWaitMs + permitMarginMs;
  const puller = new Puller({
    parts,
    gate: new Gate({ js, source, pool, maxInFlight, permitMs }),
    horizon,
    sources,
  });
  const close = (): void => {
    puller.close();
    horizon.close();
  };
  return { parts, stream: work, sources, puller, close };
}

async function ensureStreams(
  { js, streams }: SharedParts,
  windowMs: number,
): Promise<{ work: string; hold: string; gate: string; letters: string }> {
  const mustMatch = ['subjects', 'retention', 'deny_purge'] as const;
  const [work, hold, gate, letters] = await Promise.all([
    streams.ensure(workStream(js, windowMs), mustMatch),
    streams.ensure(holdStream(js), [...mustMatch, 'max_msgs_per_subject']),
    streams.ensure(gateStream(js), mustMatch),
    streams.ensure(deadLetterStream(js), mustMatch),
  ]);
  if (work.duplicate_window < windowMs * nanosPerMs) await widenWindow(js, work.name, windowMs);
  return { work: work.name, hold: hold.name, gate: gate.name, letters: letters.name };
}

/** All queues share one window: the longest that any of them asks for. */
async function widenWindow(js: JetStream, stream: string, windowMs: number): Promise<void> {
  const info = await streamInfo(js, stream);
  if (!info || info.config.duplicate_window >= windowMs * nanosPerMs) return;
  const config = { ...info.config, duplicate_window: windowMs * nanosPerMs };
  await js.call(`STREAM.UPDATE.${stream}`, config);
}
