import { blobSuite } from './bus/blob-store.ts';
import { deadLetterSuite } from './bus/dead-letters.ts';
import { eventLogSuite } from './bus/event-log.ts';
import { keyBucketSuite } from './bus/key-bucket.ts';
import { keyWatchSuite } from './bus/key-watch.ts';
import { lifeCycleSuite } from './bus/life-cycle.ts';
import { limitsSuite } from './bus/limits-and-errors.ts';
import { messagingSuite } from './bus/messaging.ts';
import { requestSuite } from './bus/requests.ts';
import type { BusUnderTest } from './bus/under-test.ts';
import { workQueueSuite } from './bus/work-queue.ts';

/** The parts of the contract, by name. What a bus may do differently stands in README.md beside this file. */
export const busParts = {
  messaging: messagingSuite,
  requests: requestSuite,
  'limits and errors': limitsSuite,
  'work queues': workQueueSuite,
  'dead letters': deadLetterSuite,
  logs: eventLogSuite,
  keys: keyBucketSuite,
  'watches of keys': keyWatchSuite,
  blobs: blobSuite,
  'life cycle': lifeCycleSuite,
};

/** What every bus driver keeps, in process or on a server: each sentence of the contract in src/bus is a case. */
export function busSuite(driver: BusUnderTest): void {
  for (const part of Object.values(busParts)) part(driver);
}
