import { isDeepStrictEqual } from 'node:util';

import { apply, fold } from '../../src/journal/fold.ts';
import type { RunState } from '../../src/journal/run-state.ts';
import type { JournalRecord } from '../../src/journal/record.ts';
import type { RunCore } from '../../src/supervisors/run/core.ts';

/** Folds a journal beside the run that writes it, and compares after every commit. */
export class Shadow {
  /** The first record after which the two differed. */
  strayed: string | undefined;
  private readonly state: RunState;

  constructor(before: readonly JournalRecord[]) {
    this.state = fold(structuredClone(before));
  }

  follow(record: JournalRecord, { ledger }: RunCore): void {
    apply(this.state, structuredClone(record));
    // The records of one commit are applied together.
    if (this.strayed !== undefined || record.seq !== ledger.state.seq) return;
    if (!isDeepStrictEqual(this.state, ledger.state))
      this.strayed = `${record.seq}, ${record.type}`;
  }
}
