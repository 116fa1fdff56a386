import { isDeepStrictEqual } from 'node:util';

import { decodeCheckpoint, encodeCheckpoint } from '../../src/journal/checkpoint.ts';
import { apply, fold } from '../../src/journal/fold.ts';
import type { RunState } from '../../src/journal/run-state.ts';
import type { JournalRecord, RunStarted } from '../../src/journal/record.ts';
import type { RunCore } from '../../src/supervisors/run/core.ts';

/** Records after which a state is written down and read back. */
const checkpointEvery = 29;

/** Folds a journal beside the run that writes it, and compares after every commit; so goes a fold from checkpoints. */
export class Shadow {
  /** The first record after which the two differed. */
  strayed: string | undefined;
  private readonly state: RunState;
  /** Goes on from the checkpoint that was taken last. */
  private resumed: RunState | undefined;

  constructor(before: readonly JournalRecord[]) {
    this.state = fold(structuredClone(before));
  }

  follow(record: JournalRecord, { ledger }: RunCore): void {
    apply(this.state, structuredClone(record));
    if (this.resumed) apply(this.resumed, structuredClone(record));
    if (record.seq % checkpointEvery === 0) this.checkpoint(record);
    // The records of one commit are applied together.
    if (this.strayed !== undefined || record.seq !== ledger.state.seq) return;
    if (!isDeepStrictEqual(this.state, ledger.state))
      this.strayed = `${record.seq}, ${record.type}`;
  }

  /** Holds the fold since the last checkpoint against the whole one, and begins again with a new one. */
  private checkpoint({ seq, type }: JournalRecord): void {
    if (this.resumed && !isDeepStrictEqual(this.resumed, this.state))
      this.strayed ??= `${seq}, ${type}, from a checkpoint`;
    const start = { type: 'run.started' } as RunStarted;
    const bytes = encodeCheckpoint({ start, state: this.state, memory: [] });
    this.resumed = decodeCheckpoint(Buffer.from(bytes))?.state;
    if (!this.resumed) this.strayed ??= `${seq}, ${type}, the checkpoint cannot be read`;
  }
}
