import { readEpoch } from './journal-reader.ts';
import type { KeptCheckpoint } from './checkpoint-file.ts';
import type { Epoch } from './run-epochs.ts';
import { joinEpochs, sourcesOf } from './run-records.ts';
import type { JournalRecord } from '../../record.ts';

/** Where a run is read. */
export interface RunPlace {
  readonly dataDir: string;
  readonly run: string;
  readonly epochs: readonly Epoch[];
}

/**
 * The records after a checkpoint. Undefined: they do not fit to it, so that the journal is to be read from its first
 * record. Never throws.
 */
export async function readTail(
  { dataDir, run, epochs }: RunPlace,
  { checkpoint, position }: KeptCheckpoint,
): Promise<readonly JournalRecord[] | undefined> {
  const { seq } = checkpoint.state;
  const since = epochs.filter(({ epoch }) => epoch >= position.epoch);
  const [first] = since;
  if (first?.epoch !== position.epoch || first.node !== position.node) return undefined;
  const [own, ...later] = sourcesOf(dataDir, run, since);
  if (!own) return undefined;
  try {
    const { segment, offset } = position;
    const parts = await Promise.all(
      [{ ...own, segment, offset }, ...later].map((source) => readEpoch(source)),
    );
    if (parts.slice(1).some(([record]) => record !== undefined && record.seq <= seq))
      return undefined;
    const records = joinEpochs(parts).filter((record) => record.seq > seq);
    return records.every((record, index) => record.seq === seq + index + 1) ? records : undefined;
  } catch {
    return undefined;
  }
}
