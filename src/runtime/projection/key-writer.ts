import type { KeyBucket } from '../../bus/key-bucket.ts';
import { TroupeError } from '../../core/errors.ts';
import type { ErrorCode } from '../../core/errors.ts';
import type { Plain } from '../../core/plain.ts';
import { omitted } from './omitted.ts';

/** Writes under way at one time: enough to hide the way to the server, few enough to leave room for others. */
const inFlight = 64;

/**
 * Keys that are to be written into a bucket, each with its last value: however long the bucket is away, no
 * more is kept than one value per key.
 *
 * Invariant: a key's writes reach the bucket in the order in which they were set here, the last one surely.
 */
export class KeyWriter {
  private dirty = new Map<string, () => Plain | undefined>();

  get isEmpty(): boolean {
    return this.dirty.size === 0;
  }

  set(key: string, value: Plain | undefined): void {
    this.dirty.set(key, () => value);
  }

  /** The value is made when it is written: of several in a row, only the last one. */
  setLater(key: string, value: () => Plain | undefined): void {
    this.dirty.set(key, value);
  }

  /** Writes what is there now. What could not be written stays, unless it has a newer value; then rejects. */
  async flush(bucket: KeyBucket): Promise<void> {
    const taken = [...this.dirty];
    this.dirty = new Map();
    let next = 0;
    const failures: unknown[] = [];
    const lane = async (): Promise<void> => {
      for (let item = taken[next++]; item; item = taken[next++]) {
        const [key, value] = item;
        try {
          if (failures.length === 0) await write(bucket, key, value());
          else this.putBack(key, value);
        } catch (error) {
          failures.push(error);
          this.putBack(key, value);
        }
      }
    };
    await Promise.all(Array.from({ length: Math.min(inFlight, taken.length) }, lane));
    if (failures.length > 0) throw failures[0];
  }

  private putBack(key: string, value: () => Plain | undefined): void {
    if (!this.dirty.has(key)) this.dirty.set(key, value);
  }
}

async function write(bucket: KeyBucket, key: string, value: Plain | undefined): Promise<void> {
  try {
    if (value === undefined) await bucket.delete(key);
    else await bucket.put(key, value);
  } catch (error) {
    // A name that is too long for a bucket is not shown; others are.
    if (hasCode(error, 'TRP_BUS_SUBJECT')) return;
    if (!hasCode(error, 'TRP_BUS_PAYLOAD')) throw error;
    await bucket.put(key, omitted);
  }
}

function hasCode(error: unknown, code: ErrorCode): boolean {
  return error instanceof TroupeError && error.code === code;
}
