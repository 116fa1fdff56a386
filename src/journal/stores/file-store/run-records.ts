import { TroupeError } from '../../../core/errors.ts';
import { recordFormat } from '../../record.ts';
import type { JournalRecord } from '../../record.ts';
import { readEpoch } from './journal-reader.ts';
import type { EpochSource } from './journal-reader.ts';
import { nodeFolder, runFolder } from './layout.ts';
import type { Epoch } from './run-epochs.ts';
import { corrupt } from './segment.ts';

/** Where the records of a run's epochs stand, oldest first. */
export function sourcesOf(
  dataDir: string,
  run: string,
  epochs: readonly Epoch[],
): readonly EpochSource[] {
  return epochs
    .filter(({ node }) => node !== '')
    .map(({ node, segment, epoch }) => ({
      folder: nodeFolder(dataDir, node),
      node,
      segment,
      run,
      epoch,
    }));
}

/** All records of a run, in order, over all who owned it. */
export async function readRun(
  dataDir: string,
  run: string,
  epochs: readonly Epoch[],
): Promise<readonly JournalRecord[]> {
  const parts = await Promise.all(sourcesOf(dataDir, run, epochs).map(readEpoch));
  return joinRun(dataDir, run, parts);
}

/**
 * The records of a run from those of its epochs, oldest first.
 * @throws TroupeError TRP_JOURNAL_CORRUPT when one is missing, TRP_JOURNAL_VERSION
 */
export function joinRun(
  dataDir: string,
  run: string,
  parts: readonly (readonly JournalRecord[])[],
): readonly JournalRecord[] {
  const records = joinEpochs(parts);
  checkOrder(records, runFolder(dataDir, run));
  return records;
}

/**
 * The fence: what an earlier owner wrote at or after the first number of a later one does not count. That
 * owner was not told that it is durable.
 */
export function joinEpochs(parts: readonly (readonly JournalRecord[])[]): readonly JournalRecord[] {
  const [only] = parts;
  if (parts.length === 1 && only) return only;
  const joined: (readonly JournalRecord[])[] = [];
  let first = Infinity;
  for (const part of parts.toReversed()) {
    const kept = part.filter((record) => record.seq < first);
    first = Math.min(first, kept[0]?.seq ?? Infinity);
    joined.push(kept);
  }
  return joined.reverse().flat();
}

function checkOrder(records: readonly JournalRecord[], place: string): void {
  for (const [index, { seq }] of records.entries()) {
    if (seq !== index + 1) throw corrupt(place, `lacks record ${index + 1} of the run`);
  }
  const [first] = records;
  if (first?.type === 'run.started' && first.format > recordFormat) {
    throw new TroupeError('TRP_JOURNAL_VERSION', `The records have format ${first.format}.`, {
      place,
    });
  }
}
