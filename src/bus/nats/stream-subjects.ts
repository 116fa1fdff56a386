import type { JetStream } from './jetstream.ts';
import { infoOf } from './streams.ts';

/** Subjects of a stream that fit and have a message; none where there is no stream. */
export async function subjectsIn(
  js: JetStream,
  stream: string,
  filter: string,
): Promise<readonly string[]> {
  const found = new Set<string>();
  for (;;) {
    const page = await infoOf(js, stream, { subjects_filter: filter, offset: found.size });
    const before = found.size;
    for (const subject of Object.keys(page?.state.subjects ?? {})) found.add(subject);
    // What came or went meanwhile may move the pages: no page that brings nothing new is followed by another.
    if (found.size === before || found.size >= (page?.total ?? 0)) return [...found];
  }
}

/** Removes the messages of the subjects that fit. */
export async function purgeSubject(js: JetStream, stream: string, filter: string): Promise<void> {
  await js.call(`STREAM.PURGE.${stream}`, { filter });
}
