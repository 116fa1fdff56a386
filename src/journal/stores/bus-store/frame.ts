import type { LogEntry } from '../../../bus/event-log.ts';
import { TroupeError } from '../../../core/errors.ts';
import type { Plain, PlainObject } from '../../../core/plain.ts';
import { corruptEntry } from './chunk.ts';

/** Version of the frames; a reader refuses a higher one. */
const frameVersion = 1;

/** Encoded records that a frame is filled up to, in bytes; one append alone may be larger. */
export const frameBytes = 524_288;

/** Most that stands in a message, in bytes; a larger append goes aside into a blob. A message holds 1 MiB. */
export const maxMessageBytes = 786_432;

/**
 * One entry of a journal on the bus: what one owner appended together. A frame without records is the beginning of an
 * ownership: its epoch fences off all lower ones.
 */
export interface JournalFrame {
  readonly epoch: number;
  readonly node: string;
  /** Each a MessagePack array of records. */
  readonly chunks: readonly Uint8Array[];
  /** Hash of the blob that holds the chunks instead; `chunks` has then only what is shown of them. */
  readonly blob?: string;
}

/** The payload of a frame. */
export function framePayload({ epoch, node, chunks, blob }: JournalFrame): Plain {
  const head = { v: frameVersion, epoch, node, journal: chunks };
  return (blob === undefined ? head : { ...head, blob }) as unknown as Plain;
}

/** Whether an entry of a log of the kind `jrn` is a frame of a journal; memories have logs there as well. */
export function isJournalEntry({ payload }: Pick<LogEntry, 'payload'>): boolean {
  return Array.isArray((payload as PlainObject | null)?.['journal']);
}

/**
 * The frame that an entry holds.
 * @throws TroupeError TRP_JOURNAL_VERSION, TRP_JOURNAL_CORRUPT
 */
export function journalFrameOf(entry: Pick<LogEntry, 'seq' | 'payload'>): JournalFrame {
  const { v, epoch, node, journal, blob } = (entry.payload ?? {}) as { [name: string]: Plain };
  if (typeof v === 'number' && v > frameVersion)
    throw new TroupeError('TRP_JOURNAL_VERSION', `Entry ${entry.seq} has format ${v}.`);
  const isWhole =
    v === frameVersion &&
    Number.isSafeInteger(epoch) &&
    typeof node === 'string' &&
    Array.isArray(journal) &&
    journal.every((chunk) => chunk instanceof Uint8Array);
  if (!isWhole) throw corruptEntry(entry.seq, 'is no frame of a journal');
  const chunks = journal as unknown as readonly Uint8Array[];
  const frame = { epoch: epoch as number, node: node as string, chunks };
  return typeof blob === 'string' ? { ...frame, blob } : frame;
}
