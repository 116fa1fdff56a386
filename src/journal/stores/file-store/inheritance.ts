import { stat } from 'node:fs/promises';
import type { OwnedRun } from '../../journal.ts';
import type { JournalRecord } from '../../record.ts';
import { readCheckpoint } from './checkpoint-file.ts';
import { segmentsOf, syncEpoch } from './journal-reader.ts';
import type { Epoch } from './run-epochs.ts';
import { readRun, sourcesOf } from './run-records.ts';
import { readTail } from './run-tail.ts';

/** What was read last, and how the files stood before. */
interface LastRead {
  readonly run: string;
  readonly files: string;
  readonly records: readonly JournalRecord[];
}

/**
 * What earlier owners of a run have left in its journal. Whoever looks at a run before taking it over reads it once:
 * what was read last is good for as long as no file has grown.
 */
export class Inheritance {
  private readonly dataDir: string;
  private readonly sync: boolean;
  private last: LastRead | undefined;

  /** @param sync true: what is taken over is made to survive a loss of power before anything is built on it */
  constructor(dataDir: string, sync: boolean) {
    this.dataDir = dataDir;
    this.sync = sync;
  }

  /** All records of a run. */
  async read(run: string, epochs: readonly Epoch[]): Promise<readonly JournalRecord[]> {
    const files = await this.filesOf(run, epochs);
    const { last } = this;
    if (last?.run === run && last.files === files) return last.records;
    const records = await readRun(this.dataDir, run, epochs);
    this.last = { run, files, records };
    return records;
  }

  /** What a new owner goes on from: all records, or a checkpoint and those after it. */
  async take(
    run: string,
    epochs: readonly Epoch[],
  ): Promise<Pick<OwnedRun, 'records' | 'checkpoint'>> {
    const { dataDir } = this;
    if (this.sync) await Promise.all(sourcesOf(dataDir, run, epochs).map(syncEpoch));
    if (epochs.length === 0) return { records: [] };
    const kept = await readCheckpoint(dataDir, run);
    const tail = kept && (await readTail({ dataDir, run, epochs }, kept));
    const records = tail ?? (await this.read(run, epochs));
    this.last = undefined;
    return tail && kept ? { records, checkpoint: kept.checkpoint } : { records };
  }

  /** Names and sizes of the files that hold the run; they only grow, or are written anew with another size. */
  private async filesOf(run: string, epochs: readonly Epoch[]): Promise<string> {
    const sizes: string[] = [];
    for (const source of sourcesOf(this.dataDir, run, epochs)) {
      for (const path of await segmentsOf(source)) {
        const { size, ino } = await stat(path);
        sizes.push(`${source.epoch} ${path} ${ino} ${size}`);
      }
    }
    return sizes.join('\n');
  }
}
