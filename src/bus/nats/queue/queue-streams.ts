import { createHash } from 'node:crypto';
import { streamName, subjectOf } from '../../subjects.ts';
import type { JetStream } from '../jetstream.ts';
import { nanosPerMs, streamConfig } from '../streams.ts';
import type { StreamConfig } from '../streams.ts';

/** Records of who holds an item are kept this long, in milliseconds: longer than a server takes to forget. */
const holdMs = 15 * 60_000;

const dayMs = 86_400_000;

/** Items: `work.<pool>.<level>`, each until it is settled. @param windowMs how long ids are known */
export function workStream(js: JetStream, windowMs: number): StreamConfig {
  const { ns } = js.link;
  return streamConfig(js, {
    name: streamName(ns, 'WORK'),
    subjects: [`${subjectOf(ns, 'work')}.*.*`],
    retention: 'workqueue',
    duplicate_window: windowMs * nanosPerMs,
  });
}

/** Who holds which item, and which items were given back: the last word of each. */
export function holdStream(js: JetStream): StreamConfig {
  const { ns } = js.link;
  const work = subjectOf(ns, 'work');
  return streamConfig(js, {
    name: streamName(ns, 'HOLD'),
    subjects: [`${work}.*.hold.*.*`, `${work}.*.free.*.*`],
    max_msgs_per_subject: 1,
    max_age: holdMs * nanosPerMs,
    discard: 'old',
  });
}

/** Permits to hold an item: `work.<pool>.gate.<n>`. They are lent and given back, never used up. */
export function gateStream(js: JetStream): StreamConfig {
  const { ns } = js.link;
  return streamConfig(js, {
    name: streamName(ns, 'GATE'),
    subjects: [`${subjectOf(ns, 'work')}.*.gate.*`],
    max_msgs_per_subject: 1,
  });
}

/** Dead letters. Ids are known for a day: what ends an item may be repeated much later. */
export function deadLetterStream(js: JetStream): StreamConfig {
  const { ns } = js.link;
  return streamConfig(js, {
    name: streamName(ns, 'DLQ'),
    subjects: [`${subjectOf(ns, 'dlq')}.*`],
    duplicate_window: dayMs * nanosPerMs,
  });
}

/** Where the holder of an item is written down. */
export function holdSubject(ns: string, pool: string, item: { id: string; seq: number }): string {
  return subjectOf(ns, 'work', pool, 'hold', idToken(item.id), String(item.seq));
}

/** All items that had this id. */
export function holdPattern(ns: string, pool: string, id: string): string {
  return `${subjectOf(ns, 'work', pool, 'hold', idToken(id))}.*`;
}

/** Marks an item as given back: nobody has it, although the server counts it as delivered. */
export function freeSubject(
  ns: string,
  pool: string,
  item: { readonly level: string; readonly seq: number },
): string {
  return subjectOf(ns, 'work', pool, 'free', item.level, String(item.seq));
}

/** All items of a pool that are marked so. */
export function freePattern(ns: string, pool: string): string {
  return `${subjectOf(ns, 'work', pool, 'free')}.*.*`;
}

function idToken(id: string): string {
  return createHash('sha256').update(id).digest('hex').slice(0, 32);
}
