import { decode } from '../../codec.ts';
import type { Plain } from '../../../core/plain.ts';
import { toPlain } from '../../../core/plain.ts';
import { deadLetterSubject, parseSubject, subjectOf } from '../../subjects.ts';
import { maxListedLetters, workLevels } from '../../work-queue.ts';
import type { DeadLetter, PoolDeadLetter, WorkLevel } from '../../work-queue.ts';
import type { JetStream } from '../jetstream.ts';
import { apiCodes, isRefusal } from '../jetstream-refusal.ts';
import {
  decoded,
  driverPrefix,
  encodedText,
  userHeaders,
  wireHeaders,
} from '../message-headers.ts';
import type { Readings } from '../readings.ts';
import type { StoredMessage } from '../stored-message.ts';
import { streamInfo } from '../streams.ts';
import type { ItemName } from './hold-ledger.ts';
import { deadLetterStream } from './queue-streams.ts';

/** An item at its end. */
export interface Death {
  readonly item: ItemName;
  readonly data: Uint8Array;
  readonly headers: ReadonlyMap<string, string>;
  readonly deliveries: number;
  readonly reason: string;
}

/** Header with the id of an item, percent-encoded. */
export const idHeader = `${driverPrefix}Id`;

const levelHeader = `${driverPrefix}Level`;
const deliveriesHeader = `${driverPrefix}Deliveries`;
const reasonHeader = `${driverPrefix}Reason`;

/** Longest reason, in characters. */
const maxReason = 1_000;

/** What a dead letter has in headers beyond its item, at most, in bytes: kept free when an item is added. */
export const deathBytes = 9 * maxReason + 512;

/** The dead letters of one pool: written under the item's number, so that a death that is repeated is one letter. */
export class DeadLetters {
  private readonly js: JetStream;
  private readonly readings: Readings;
  private readonly stream: string;
  private readonly pool: string;
  private readonly subject: string;

  constructor(
    { js, readings }: { readonly js: JetStream; readonly readings: Readings },
    stream: string,
    pool: string,
  ) {
    this.js = js;
    this.readings = readings;
    this.stream = stream;
    this.pool = pool;
    this.subject = deadLetterSubject(js.link.ns, pool);
  }

  async bury({ item, data, headers, deliveries, reason }: Death): Promise<void> {
    await this.js.publish({
      stream: this.stream,
      subject: this.subject,
      data,
      headers: wireHeaders(userHeaders(headers), {
        [idHeader]: encodedText(item.id),
        [levelHeader]: item.level,
        [deliveriesHeader]: String(deliveries),
        [reasonHeader]: encodedText(reason.slice(0, maxReason)),
      }),
      id: `${encodedText(this.pool)}/${item.seq}`,
    });
  }

  async list(): Promise<readonly DeadLetter[]> {
    const request = { stream: this.stream, filter: this.subject, from: 1 };
    return (await this.readings.collect(request)).map(letterOf);
  }

  async count(): Promise<number> {
    const info = await streamInfo(this.js, this.stream, this.subject);
    return info?.state.subjects?.[this.subject] ?? 0;
  }

  async forget(seq: number): Promise<boolean> {
    if (!Number.isSafeInteger(seq) || seq < 1) return false;
    const found = await this.js.message(this.stream, { seq });
    if (found?.subject !== this.subject) return false;
    try {
      await this.js.call(`STREAM.MSG.DELETE.${this.stream}`, { seq, no_erase: true });
      return true;
    } catch (error) {
      // Somebody else was faster, or an answer was lost.
      if (isRefusal(error, apiCodes.messageNotFound, apiCodes.deleteFailed)) return false;
      throw error;
    }
  }
}

/** The newest dead letters of all pools, by pool; none where there was never a queue. */
export async function listDeadLetters({
  js,
  readings,
}: {
  readonly js: JetStream;
  readonly readings: Readings;
}): Promise<readonly PoolDeadLetter[]> {
  const { name: stream } = deadLetterStream(js);
  const info = await streamInfo(js, stream);
  if (!info || info.state.messages === 0) return [];
  const from = Math.max(1, info.state.last_seq - maxListedLetters + 1);
  const filter = `${subjectOf(js.link.ns, 'dlq')}.*`;
  const messages = await readings.collect({ stream, filter, from });
  return messages
    .map((message) => ({
      ...letterOf(message),
      pool: parseSubject(message.subject)?.parts[0] ?? '',
    }))
    .toSorted((a, b) => (a.pool < b.pool ? -1 : Number(a.pool > b.pool)));
}

function letterOf({ seq, data, headers }: StoredMessage): DeadLetter {
  const level = headers.get(levelHeader) ?? '';
  return Object.freeze({
    seq,
    id: decoded(headers.get(idHeader) ?? ''),
    level: isLevel(level) ? level : 'p2',
    payload: payloadOf(data),
    headers: userHeaders(headers),
    deliveries: Number(headers.get(deliveriesHeader) ?? 0),
    reason: decoded(headers.get(reasonHeader) ?? ''),
  });
}

/** What nobody could decode is shown as it is. */
function payloadOf(data: Uint8Array): Plain {
  try {
    return toPlain(decode(data));
  } catch {
    return Uint8Array.from(data);
  }
}

function isLevel(text: string): text is WorkLevel {
  return (workLevels as readonly string[]).includes(text);
}
