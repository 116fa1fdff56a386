import { encodeCheckpoint, isOfMemory, maxCheckpointBytes } from '../../journal/checkpoint.ts';
import type { Checkpoint } from '../../journal/checkpoint.ts';
import type { EncodedCheckpoint, OwnedRun } from '../../journal/journal.ts';
import type { JournalRecord, RunStarted } from '../../journal/record.ts';
import type { RunState } from '../../journal/run-state.ts';

/** Records that a checkpoint spares the next owner; below that, folding them costs next to nothing. */
const minRecords = 8_192;

/** A state of more rows is written down at a takeover only: a running run is not held up for it. */
const maxLiveRows = 20_000;

/**
 * Writes the fold of a run down, at a takeover and then whenever as many records as it has rows have come, so
 * that it costs the same per record however long the run is.
 *
 * Invariant: what is kept was encoded in the turn in which its last record was applied, and is handed over when that
 * record is acknowledged.
 */
export class Checkpoints {
  private readonly owned: OwnedRun;
  private readonly memory: JournalRecord[];
  private start: RunStarted | undefined;
  private since: number;
  private pending: EncodedCheckpoint | undefined;
  private isTooLarge = false;

  /** For a store that keeps checkpoints; undefined for any other. */
  static of(owned: OwnedRun): Checkpoints | undefined {
    return owned.keep ? new Checkpoints(owned) : undefined;
  }

  private constructor(owned: OwnedRun) {
    const { checkpoint, records } = owned;
    this.owned = owned;
    this.start = checkpoint?.start;
    this.memory = [...(checkpoint?.memory ?? [])];
    this.since = records.length;
    for (const record of records) this.note(record);
  }

  /** The fold of what was taken over, if it took long enough to make. */
  takenOver(state: RunState): void {
    if (this.since < minRecords) return;
    this.encode(state);
    this.hand();
  }

  /** Records were applied, in one turn; the state is what follows from them. */
  applied(records: readonly JournalRecord[], state: RunState): void {
    for (const record of records) this.note(record);
    this.since += records.length;
    if (this.since < minRecords || this.pending || this.isTooLarge) return;
    const rows = state.tasks.size + state.groups.size;
    if (rows <= maxLiveRows && this.since >= rows) this.encode(state);
  }

  /** A record was acknowledged: told in the turn in which the journal says so. */
  acknowledged(seq: number): void {
    if (this.pending?.seq === seq) this.hand();
    else if (this.pending && this.pending.seq < seq) this.pending = undefined;
  }

  private note(record: JournalRecord): void {
    if (isOfMemory(record)) this.memory.push(record);
    else if (record.type === 'run.started') this.start = record;
    else if (record.type === 'workflow.migrated' && this.start) {
      const { workflow, source } = record;
      this.start = { ...this.start, workflow, source };
    }
  }

  private encode(state: RunState): void {
    if (!this.start) return;
    const checkpoint: Checkpoint = { start: this.start, state, memory: this.memory };
    const bytes = encodeCheckpoint(checkpoint);
    this.since = 0;
    this.isTooLarge = bytes.length > maxCheckpointBytes;
    if (!this.isTooLarge) this.pending = { seq: state.seq, bytes };
  }

  private hand(): void {
    if (this.pending) void this.owned.keep?.(this.pending);
    this.pending = undefined;
  }
}
