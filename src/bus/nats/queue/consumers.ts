import { TroupeError } from '../../../core/errors.ts';
import type { WorkQueueOptions } from '../../work-queue.ts';
import type { JetStream } from '../jetstream.ts';
import { apiCodes, isRefusal } from '../jetstream-refusal.ts';
import { nanosPerMs } from '../streams.ts';
import { poolSettings } from './pool-settings.ts';
import type { PoolSettings } from './pool-settings.ts';

/** A durable consumer, as far as the driver looks at it. */
export interface ConsumerInfo {
  readonly config: {
    readonly filter_subject?: string;
    readonly ack_policy: string;
    readonly ack_wait: number;
    readonly description?: string;
  };
  /** Never delivered. */
  readonly num_pending: number;
  /** Delivered and not settled. */
  readonly num_ack_pending: number;
}

/** What a consumer of a pool is to be like. */
export interface ConsumerPlan {
  readonly stream: string;
  readonly name: string;
  readonly filter: string;
  readonly ackWaitMs: number;
  readonly settings: PoolSettings;
}

/** Pulls that may wait at one consumer. */
const maxWaitingPulls = 16_384;

/** What the server says of a consumer; undefined when there is none. */
export async function consumerInfo(
  js: JetStream,
  stream: string,
  name: string,
): Promise<ConsumerInfo | undefined> {
  try {
    return await js.call<ConsumerInfo>(`CONSUMER.INFO.${stream}.${name}`);
  } catch (error) {
    if (isRefusal(error, apiCodes.consumerNotFound)) return undefined;
    throw error;
  }
}

/**
 * Makes a consumer unless there is one; its settings, which may be older than those that were asked for. Rejects
 * with TRP_BUS_SERVER when it is not as it must be.
 */
export async function ensureConsumer(js: JetStream, plan: ConsumerPlan): Promise<PoolSettings> {
  const { stream, name, filter, ackWaitMs, settings } = plan;
  const found = await consumerInfo(js, stream, name);
  if (found) return checked(found, plan);
  const config = {
    durable_name: name,
    description: JSON.stringify(settings),
    deliver_policy: 'all',
    ack_policy: 'explicit',
    ack_wait: ackWaitMs * nanosPerMs,
    // The driver counts deliveries itself: a server that stops delivering keeps the item for ever.
    max_deliver: -1,
    max_ack_pending: -1,
    max_waiting: maxWaitingPulls,
    filter_subject: filter,
    replay_policy: 'instant',
  };
  await js.call(`CONSUMER.DURABLE.CREATE.${stream}.${name}`, { stream_name: stream, config });
  // Somebody else may have made it at the same moment with other settings: what stands there now counts.
  const made = await consumerInfo(js, stream, name);
  return made ? checked(made, plan) : settings;
}

function checked({ config }: ConsumerInfo, { name, filter, settings }: ConsumerPlan): PoolSettings {
  let fault: string | undefined;
  if (config.ack_policy !== 'explicit') fault = `ack_policy is ${config.ack_policy}`;
  if (config.filter_subject !== filter) fault = `filter_subject is ${config.filter_subject}`;
  if (fault !== undefined)
    throw new TroupeError(
      'TRP_BUS_SERVER',
      `The consumer ${name} is not as it must be: ${fault}.`,
      {
        place: name,
        hint: 'Remove the consumer, and it is made anew; the items stay.',
      },
    );
  return { ...settings, ...written(config.description) };
}

function written(description = ''): Partial<PoolSettings> {
  try {
    return poolSettings(JSON.parse(description) as WorkQueueOptions);
  } catch {
    return {};
  }
}
