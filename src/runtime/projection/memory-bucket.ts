import type { Bus } from '../../bus/bus.ts';
import type { KeyBucket } from '../../bus/key-bucket.ts';
import { subjectOf } from '../../bus/subjects.ts';

/** A key that nobody has written for so long goes, whatever became of its run. */
const keptMs = 30 * 24 * 3_600_000;

/** The bucket of a namespace that shows the memory of its runs: keys `<run>.<key>`, published again as `mem`. */
export function openMemoryBucket(bus: Bus): Promise<KeyBucket> {
  return bus.keys('mem', { republish: subjectOf(bus.ns, 'mem'), ttlMs: keptMs });
}
