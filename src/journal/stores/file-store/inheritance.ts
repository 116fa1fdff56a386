import { stat } from 'node:fs/promises';
import type { RunPast } from '../../run-past.ts';
import type { JournalRecord } from '../../record.ts';
import { readCheckpoint } from './checkpoint-file.ts';
import { segmentsOf, syncEpoch } from './journal-reader.ts';
import type { Epoch } from './run-epochs.ts';
import { readRun, sourcesOf } from './run-records.ts';
import { readTail } from './run-tail.ts';

/** What was read last, and how the files stood before. */
interface LastRead extends RunPast {
  readonly run: string;
  readonly files: string;
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
    const known = this.known(run, files);
    if (known && !known.checkpoint) return known.records;
    const records = await readRun(this.dataDir, run, epochs);
    this.last = { run, files, records };
    return records;
  }

  /** A checkpoint and the records after it; all records where there is none. */
  async look(run: string, epochs: readonly Epoch[]): Promise<RunPast> {
    const files = await this.filesOf(run, epochs);
    const known = this.known(run, files);
    if (known) return known;
    const { dataDir } = this;
    const kept = await readCheckpoint(dataDir, run);
    const records = kept && (await readTail({ dataDir, run, epochs }, kept));
    if (!records) return { records: await this.read(run, epochs) };
    this.last = { run, files, records, checkpoint: kept.checkpoint };
    return this.last;
  }

  /** What a new owner goes on from. It uses a checkpoint up, so that nobody else is given the same one. */
  async take(run: string, epochs: readonly Epoch[]): Promise<RunPast> {
    const sources = sourcesOf(this.dataDir, run, epochs);
    if (this.sync) await Promise.all(sources.map(syncEpoch));
    if (epochs.length === 0) return { records: [] };
    const { records, checkpoint } = await this.look(run, epochs);
    this.last = undefined;
    return checkpoint ? { records, checkpoint } : { records };
  }

  private known(run: string, files: string): LastRead | undefined {
    return this.last?.run === run && this.last.files === files ? this.last : undefined;
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
