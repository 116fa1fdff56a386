import type { TroupeError } from '../../../core/errors.ts';
import type { Checkpoint } from '../../checkpoint.ts';
import type { EncodedCheckpoint, OwnedRun } from '../../journal.ts';
import type { JournalRecord } from '../../record.ts';
import { fencedError } from './journal-writer.ts';
import type { JournalPlace, JournalWriter, Ownership } from './journal-writer.ts';

/** What a run is owned with. */
export interface FileOwnership extends Ownership {
  readonly records: readonly JournalRecord[];
  readonly checkpoint?: Checkpoint | undefined;
  /** Writes a checkpoint; nothing that is not in it stands before the place. */
  readonly keep: (encoded: EncodedCheckpoint, place: JournalPlace) => Promise<void>;
  /** Called once, when everything appended is durable. */
  readonly release: (owned: FileOwnedRun) => Promise<void>;
}

/** A run of this process in the file journal. */
export class FileOwnedRun implements OwnedRun {
  readonly run: string;
  readonly epoch: number;
  readonly records: readonly JournalRecord[];
  readonly checkpoint: Checkpoint | undefined;
  acked?: number;
  private readonly kept: FileOwnership['keep'];
  private readonly writer: JournalWriter;
  private readonly onRelease: (owned: FileOwnedRun) => Promise<void>;
  private open = true;
  private releasing: Promise<void> | undefined;

  constructor(writer: JournalWriter, ownership: FileOwnership) {
    this.writer = writer;
    this.run = ownership.run;
    this.epoch = ownership.epoch;
    this.records = ownership.records;
    this.checkpoint = ownership.checkpoint;
    this.kept = ownership.keep;
    this.onRelease = ownership.release;
  }

  append(records: readonly JournalRecord[], durable: (error?: TroupeError) => void): void {
    if (this.open) return this.writer.append(this, records, durable);
    // An empty append keeps the order of answers: it is refused after those that came before.
    this.writer.append(this, [], () => durable(fencedError(this)));
  }

  async keep(checkpoint: EncodedCheckpoint): Promise<void> {
    const last = this.acked ?? this.records.at(-1)?.seq ?? this.checkpoint?.state.seq;
    // One that is older than what was acknowledged has no place from which on the rest is surely found.
    if (!this.open || checkpoint.seq !== last) return;
    await this.kept(checkpoint, this.writer.place).catch(() => undefined);
  }

  /** This process took the run again: the older handle is of no more use. */
  fence(): void {
    this.open = false;
  }

  release(): Promise<void> {
    this.releasing ??= this.giveUp();
    return this.releasing;
  }

  private async giveUp(): Promise<void> {
    this.open = false;
    await this.writer.settled();
    await this.onRelease(this);
  }
}
