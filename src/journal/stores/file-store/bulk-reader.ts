import { readFile } from 'node:fs/promises';
import type { JournalRecord } from '../../record.ts';
import { readSegments } from './journal-reader.ts';
import type { EpochSource } from './journal-reader.ts';
import type { Epoch } from './run-epochs.ts';
import { joinRun, sourcesOf } from './run-records.ts';
import { recordsIn, recordsPrefix } from './segment.ts';

/** Frames of one node by whom they belong to. */
type Frames = ReadonlyMap<string, readonly { readonly path: string; readonly payload: Buffer }[]>;

/** Nodes whose journals are kept at a time: runs that stand next to each other were mostly written by the same few. */
const nodesKept = 4;

/** What a {@link BulkReader} reads from. */
export interface BulkReaderOptions {
  readonly dataDir: string;
  /** Epochs of every run that may be asked for. */
  readonly epochs: ReadonlyMap<string, readonly Epoch[]>;
  /** Reads a segment. Default: from the disk. */
  readonly readSegment?: (path: string) => Promise<Buffer>;
}

/**
 * Reads many runs, one after the other, in the order of their beginnings: the journal of a node is read and taken
 * apart once for all runs in it, so that all of them together cost as much as the journals are long.
 */
export class BulkReader {
  private readonly options: BulkReaderOptions;
  /** First segment of each node that holds any of the runs. */
  private readonly firstSegments = new Map<string, number>();
  /** The beginnings of frames that belong to the runs. */
  private readonly owners = new Set<string>();
  private readonly prefixLengths = new Set<number>();
  private readonly kept = new Map<string, Promise<Frames>>();

  constructor(options: BulkReaderOptions) {
    this.options = options;
    for (const run of options.epochs.keys())
      for (const source of this.sources(run)) this.expect(source);
  }

  /** All records of a run. @throws TroupeError as a read of the run alone, and for damage of any segment of its nodes */
  async read(run: string): Promise<readonly JournalRecord[]> {
    const parts: (readonly JournalRecord[])[] = [];
    for (const source of this.sources(run)) {
      const frames = (await this.framesOf(source)).get(ownerOf(source)) ?? [];
      parts.push(frames.flatMap(({ payload, path }) => recordsIn(payload, path)));
    }
    return joinRun(this.options.dataDir, run, parts);
  }

  private sources(run: string): readonly EpochSource[] {
    return sourcesOf(this.options.dataDir, run, this.options.epochs.get(run) ?? []);
  }

  private expect(source: EpochSource): void {
    const { node, segment } = source;
    const known = this.firstSegments.get(node) ?? Infinity;
    this.firstSegments.set(node, Math.min(known, segment));
    const owner = ownerOf(source);
    this.owners.add(owner);
    this.prefixLengths.add(owner.length);
  }

  private framesOf(source: EpochSource): Promise<Frames> {
    const { node } = source;
    const frames = this.kept.get(node) ?? this.takeApart(source);
    this.kept.delete(node);
    this.kept.set(node, frames);
    const [oldest] = this.kept.keys();
    if (this.kept.size > nodesKept && oldest !== undefined) this.kept.delete(oldest);
    return frames;
  }

  private async takeApart(source: EpochSource): Promise<Frames> {
    const { readSegment = readFile } = this.options;
    const segment = this.firstSegments.get(source.node) ?? source.segment;
    const frames = new Map<string, { path: string; payload: Buffer }[]>();
    for (const { path, payloads } of await readSegments({ ...source, segment }, readSegment)) {
      for (const payload of payloads) {
        const owner = this.ownerIn(payload);
        if (owner === undefined) continue;
        const own = frames.get(owner);
        if (own) own.push({ path, payload });
        else frames.set(owner, [{ path, payload }]);
      }
    }
    return frames;
  }

  /** Run ids have one length, and epochs few: there are hardly more lengths than one. */
  private ownerIn(payload: Buffer): string | undefined {
    for (const length of this.prefixLengths) {
      const start = payload.toString('latin1', 0, length);
      if (this.owners.has(start)) return start;
    }
    return undefined;
  }
}

function ownerOf({ run, epoch }: EpochSource): string {
  return Buffer.from(recordsPrefix(run, epoch)).toString('latin1');
}
