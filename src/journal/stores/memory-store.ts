import { TroupeError } from '../../core/errors.ts';
import { randomIds } from '../../core/ids.ts';
import type { JournalStore, OwnedRun, StoredRun } from '../journal.ts';
import type { JournalRecord } from '../record.ts';
import { isRunId } from '../run-id.ts';

/** A store in this process's memory: level `memory`, gone with the process. */
export function createMemoryStore(node: string = randomIds.node()): JournalStore {
  return new MemoryStore(node);
}

interface Kept {
  readonly records: JournalRecord[];
  epoch: number;
  /** The handle that may write; undefined: nobody. */
  owner: OwnedRun | undefined;
}

/** Invariant: only the latest handle of a run writes, so the records are numbered from 1 without gaps. */
class MemoryStore implements JournalStore {
  readonly level = 'memory';
  readonly node: string;
  private readonly runs = new Map<string, Kept>();
  private closed = false;

  constructor(node: string) {
    this.node = node;
  }

  async create(run: string): Promise<OwnedRun> {
    if (!isRunId(run)) {
      throw new TroupeError(
        'TRP_OPTION_INVALID',
        `${JSON.stringify(run)} cannot be the id of a run.`,
      );
    }
    if (this.runs.has(run))
      throw new TroupeError('TRP_RUN_OWNED', `There is a run ${run} already.`);
    const kept: Kept = { records: [], epoch: 0, owner: undefined };
    const owned = this.take(run, kept);
    this.runs.set(run, kept);
    return owned;
  }

  async adopt(run: string): Promise<OwnedRun> {
    return this.take(run, this.kept(run));
  }

  async read(run: string): Promise<readonly JournalRecord[]> {
    return [...this.kept(run).records];
  }

  async list(): Promise<readonly StoredRun[]> {
    return [...this.runs].map(([run, { owner }]) => ({
      run,
      owner: owner ? this.node : undefined,
    }));
  }

  async close(): Promise<void> {
    this.closed = true;
    for (const kept of this.runs.values()) kept.owner = undefined;
  }

  private kept(run: string): Kept {
    const kept = this.runs.get(run);
    if (!kept)
      throw new TroupeError('TRP_RUN_NOT_FOUND', `There is no run ${JSON.stringify(run)}.`);
    return kept;
  }

  private take(run: string, kept: Kept): OwnedRun {
    if (this.closed) throw new TroupeError('TRP_CLOSED', 'The journal store is closed.');
    const epoch = ++kept.epoch;
    const owned: OwnedRun = {
      run,
      epoch,
      records: [...kept.records],
      append: (records, durable) => {
        if (kept.owner !== owned)
          return durable(
            new TroupeError('TRP_JOURNAL_FENCED', `Run ${run} is not owned any more.`),
          );
        for (const record of records) kept.records.push(record);
        durable();
      },
      release: async () => {
        if (kept.owner === owned) kept.owner = undefined;
      },
    };
    kept.owner = owned;
    return owned;
  }
}
