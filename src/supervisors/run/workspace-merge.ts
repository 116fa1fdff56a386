import type { ErrorInfo } from '../../core/errors.ts';
import type { LostLines } from '../../results/text.ts';

/** What a task left in its folder. */
export interface Contribution {
  readonly task: string;
  readonly agent: string;
  /** The folder of the attempt that succeeded. */
  readonly path: string;
  readonly from: string | undefined;
}

/** Folders whose files go into one. */
export interface WorkspaceMerge {
  readonly into: string;
  /** The strongest first. */
  readonly contributions: readonly Contribution[];
}

/** What was merged, and where two met. */
export interface MergedFiles {
  readonly files: number;
  readonly conflicts: readonly MergedConflict[];
}

/** A file that did not make it into the folder, or not whole. */
export interface MergedConflict {
  /** Path below the folder. */
  readonly path: string;
  readonly loser: Pick<Contribution, 'task' | 'agent'>;
  /** Undefined: whoever changed the folder meanwhile. */
  readonly winner: Pick<Contribution, 'agent'> | undefined;
  /** Of a text; empty: the file was dropped whole. */
  readonly lost: readonly LostLines[];
  /** Where the loser's file was kept, below the folder. */
  readonly keptAs: string;
}

/** The folders of attempts, as the run needs them; what they are made of is the runtime's. */
export interface Workspaces {
  /** Where an attempt's folder is, made or not. */
  pathOf(attempt: {
    readonly run: string;
    readonly task: string;
    readonly attempt: number;
  }): string;
  /** Merges files; doing it again changes nothing. */
  merge(merge: WorkspaceMerge): Promise<MergedFiles>;
}

/** How merging the folders of a group, or of a task in none, has ended. */
export interface UnitMerged {
  readonly unit: string;
  readonly merged: readonly {
    readonly into: string;
    readonly result: MergedFiles | { readonly error: ErrorInfo };
  }[];
}
