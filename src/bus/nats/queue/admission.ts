import { messageOf } from '../../../core/errors.ts';
import { toPlain } from '../../../core/plain.ts';
import { decode } from '../../codec.ts';
import type { WorkLevel } from '../../work-queue.ts';
import { isConflict } from '../jetstream.ts';
import { decoded, messageIdHeader, userHeaders } from '../message-headers.ts';
import { deliveryInfo, headersOf } from '../stored-message.ts';
import { idHeader } from './dead-letters.ts';
import type { Permit } from './gate.ts';
import { HeldItem, isNotHeld } from './held-item.ts';
import type { DeliveredItem, ItemContent, PoolParts } from './held-item.ts';
import type { WrittenHold } from './hold-ledger.ts';
import type { Delivery, Source } from './pull-session.ts';

/** The consumer of one level. */
export interface LevelSource extends Source {
  readonly level: WorkLevel;
}

/**
 * Turns a delivery into an item in this consumer's hands; undefined when there is none in it: it was settled before,
 * and the server has only forgotten it, or it has been delivered too often.
 * @param horizon items up to this number were there when the connection was made: of those the server may have
 * forgotten, in a crash, who had them
 */
export async function admit(
  parts: PoolParts,
  { message, source }: Delivery<LevelSource>,
  { permit, horizon }: { readonly permit: Permit; readonly horizon: number },
): Promise<HeldItem | undefined> {
  const info = deliveryInfo(message.reply);
  const headers = headersOf(message);
  const name = { id: idOf(headers, info.streamSeq), seq: info.streamSeq, level: source.level };
  const mayBeKnown = info.deliveries > 1 || info.streamSeq <= horizon;
  const last = mayBeKnown ? await parts.ledger.last(name) : undefined;
  const item: DeliveredItem = {
    name,
    ackSubject: message.reply ?? '',
    data: message.data,
    headers,
    deliveries: Math.max(info.deliveries, (last?.record.deliveries ?? 0) + 1),
    revision: last?.revision ?? 0,
  };
  if (last && (await wasSettled(parts, item, last))) return undefined;
  return take(parts, item, { permit, last, announced: mayBeKnown });
}

interface Taking {
  readonly permit: Permit;
  readonly last: WrittenHold | undefined;
  readonly announced: boolean;
}

async function take(
  parts: PoolParts,
  item: DeliveredItem,
  { permit, last, announced }: Taking,
): Promise<HeldItem | undefined> {
  const content = contentOf(item);
  const { maxDeliveries } = parts.settings;
  const fallback = { payload: null, headers: {} };
  const held = new HeldItem(parts, item, {
    content: typeof content === 'string' ? fallback : content,
    permit,
  });
  try {
    if (item.deliveries > maxDeliveries) {
      const reason = `Delivered ${maxDeliveries} times, and never settled.`;
      await held.bury(reason, maxDeliveries);
    } else if (typeof content === 'string') {
      await held.bury(`It cannot be read: ${content}`);
    } else {
      await held.hold(announced);
      // Only the counts depend on it, and a worker's user may lack the right.
      if (last?.record.state === 'free')
        await parts.ledger.unmarkFree(item.name).catch(() => undefined);
      return held;
    }
  } catch (error) {
    // Another process was given it at the same time, and was faster.
    if (!isNotHeld(error) && !isConflict(error)) throw error;
  }
  return undefined;
}

/** Ends for the server what has ended already. */
async function wasSettled(
  { js, letters }: PoolParts,
  { name, data, headers, ackSubject }: DeliveredItem,
  { record: { state, reason = '', deliveries } }: WrittenHold,
): Promise<boolean> {
  if (state === 'done') await js.acknowledge(ackSubject, '+ACK');
  if (state !== 'dead') return state === 'done';
  await letters.bury({ item: name, data, headers, deliveries, reason });
  await js.acknowledge(ackSubject, '+TERM');
  return true;
}

/** The content; text: what is wrong with it. */
function contentOf({ data, headers }: DeliveredItem): ItemContent | string {
  try {
    return { payload: toPlain(decode(data)), headers: userHeaders(headers) };
  } catch (error) {
    return messageOf(error);
  }
}

/** What another client put into the stream has no id of this driver's. */
function idOf(headers: ReadonlyMap<string, string>, seq: number): string {
  const id = headers.get(idHeader);
  return id === undefined ? (headers.get(messageIdHeader) ?? `message ${seq}`) : decoded(id);
}
