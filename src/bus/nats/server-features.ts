import { isAtLeast } from './server-version.ts';
import type { ServerVersion } from './server-version.ts';

/** Something that came with a version of the server. */
export interface ServerFeature {
  readonly name: string;
  /** First version that has it: `2.10.0`. */
  readonly since: string;
  readonly available: boolean;
}

/** Older servers leave most of these out without a word, so nothing is asked of a server that its version does not promise. */
const features: readonly (readonly [name: string, since: ServerVersion])[] = [
  ['consumers with several filters', [2, 10, 0]],
  ['metadata, compression and subject transforms of streams', [2, 10, 0]],
  ['writing through before acknowledging (sync_interval: always)', [2, 10, 0]],
  ['pausing consumers', [2, 11, 0]],
  ['time to live of single messages', [2, 11, 0]],
  ['expected sequence of another subject', [2, 11, 0]],
  ['priority groups of consumers', [2, 11, 0]],
  ['reading the last messages of many subjects at once', [2, 11, 0]],
  ['atomic batches, counters and schedules', [2, 12, 0]],
];

/** What a server of this version has and has not. */
export function featuresOf(version: ServerVersion): readonly ServerFeature[] {
  return features.map(([name, since]) => ({
    name,
    since: since.join('.'),
    available: isAtLeast(version, since),
  }));
}
