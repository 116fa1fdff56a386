import type { Clock } from '../../core/clock.ts';
import type { TroupeError } from '../../core/errors.ts';
import { apply } from '../../journal/fold.ts';
import { emptyRunState } from '../../journal/run-state.ts';
import type { RunState } from '../../journal/run-state.ts';
import type { OwnedRun } from '../../journal/journal.ts';
import type { JournalRecord, RecordBody } from '../../journal/record.ts';
import type { Secrets } from '../../core/redaction.ts';
import { RunMemory } from '../../memory/run-memory.ts';
import { Checkpoints } from './checkpoints.ts';
import { redactRecord } from './secret-values.ts';

/** What a ledger is made from. */
export interface LedgerOptions {
  readonly owned: OwnedRun;
  readonly clock: Clock;
  /** Measure the records: that costs as much as writing them again. */
  readonly isMeasured?: boolean;
  /** What no record may say. */
  readonly secrets?: Secrets | undefined;
  /** Something that waited for durability may go on: call {@link Ledger.drain} soon, in the run's own turn. */
  readonly onDurable: () => void;
  /** The journal takes nothing any more: the run cannot go on in this process. */
  readonly onLost: (error: TroupeError) => void;
  /** Sees every record once it is durable, in order. */
  readonly onRecord: (record: JournalRecord) => void;
}

/**
 * The run's own book: numbers records, applies them, appends them, and lets what follows from them wait
 * until they are durable.
 *
 * Invariants:
 * 1. Sequence numbers have no gaps; a record is applied in the turn in which it is committed.
 * 2. State and memory change by records and in no other way.
 * 3. What was handed over as `after` runs in the order of the commits, after its records are durable, and
 *    in the run's own turn: never on the journal's stack.
 * 4. After the journal is lost nothing is committed and nothing that waited runs.
 */
export class Ledger {
  readonly state: RunState;
  readonly memory = new RunMemory();
  /** Bytes of the records as JSON; 0 where nobody asked for them to be measured. */
  bytes = 0;
  private readonly options: LedgerOptions;
  private readonly checkpoints: Checkpoints | undefined;
  private readonly due: (() => void)[] = [];
  private scheduled = false;
  private lost = false;
  /** Commits that are not durable yet. */
  private awaited = 0;

  constructor(options: LedgerOptions) {
    this.options = options;
    const { owned } = options;
    this.state = owned.checkpoint?.state ?? emptyRunState();
    for (const record of owned.checkpoint?.memory ?? []) this.remember(record);
    for (const record of owned.records) this.apply(record);
    this.checkpoints = Checkpoints.of(owned);
    this.checkpoints?.takenOver(this.state);
    options.owned.onLost?.((error) => this.lose(error));
  }

  /** True: somebody else may own the run by now; `sure` is called when that turns out not to be so. */
  inDoubt(sure: () => void): boolean {
    return this.options.owned.inDoubt?.(sure) ?? false;
  }

  /** Commits records, in order and together; `after` runs once they are durable. */
  commit(bodies: readonly RecordBody[], after?: () => void): void {
    if (this.lost) return;
    const { owned, clock, secrets } = this.options;
    const at = clock.now();
    const said = secrets && !secrets.isEmpty ? redacted(bodies, secrets) : bodies;
    const records = said.map((body) => this.numbered(body, at));
    this.checkpoints?.applied(records, this.state);
    this.awaited++;
    owned.append(records, (error) => {
      this.awaited--;
      if (error) this.lose(error);
      else this.acknowledge(records, after);
    });
  }

  /** Runs `after` in the run's next turn, in order with the others, without waiting for the journal. */
  follow(after: () => void): void {
    this.due.push(after);
    if (this.scheduled) return;
    this.scheduled = true;
    this.options.onDurable();
  }

  /** Whether something that was committed is not durable yet. */
  get isAwaited(): boolean {
    return this.awaited > 0 || this.isDue;
  }

  /** Whether something waits to be drained. */
  get isDue(): boolean {
    return this.due.length > 0;
  }

  /** Runs what has become durable. */
  drain(): void {
    this.scheduled = false;
    for (const next of this.due.splice(0)) if (!this.lost) next();
  }

  private numbered(body: RecordBody, at: number): JournalRecord {
    const record: JournalRecord = Object.assign({}, body, { seq: this.state.seq + 1, at });
    this.apply(record);
    return record;
  }

  private apply(record: JournalRecord): void {
    if (this.options.isMeasured) this.bytes += JSON.stringify(record).length;
    apply(this.state, record);
    this.remember(record);
  }

  private remember(record: JournalRecord): void {
    if (record.type === 'memory.committed') this.memory.apply(record);
  }

  private acknowledge(records: readonly JournalRecord[], after: (() => void) | undefined): void {
    if (this.lost) return;
    const last = records.at(-1);
    if (last) this.checkpoints?.acknowledged(last.seq);
    for (const record of records) this.options.onRecord(record);
    if (after) this.follow(after);
  }

  private lose(error: TroupeError): void {
    if (this.lost) return;
    this.lost = true;
    this.options.onLost(error);
  }
}

function redacted(bodies: readonly RecordBody[], secrets: Secrets): readonly RecordBody[] {
  return bodies.map((body) => redactRecord(body, secrets));
}
