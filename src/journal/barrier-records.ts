/** What a smart barrier decides beside its release, and what it lets happen after it. */

/** The soft deadline has passed without enough: from now on the group goes on as soon as there is enough. */
export interface BarrierSoftened {
  readonly type: 'barrier.softened';
  readonly group: string;
}

/**
 * A member that was let run on has its result after its group was released: the result counts and is in
 * memory; the group's output stays as it was joined.
 */
export interface ContributionLate {
  readonly type: 'contribution.late';
  readonly group: string;
  readonly member: string;
}

/** Members of a group that work are about to write one key, which a merger may not keep whole. Told once for each key. */
export interface ConflictForeseen {
  readonly type: 'conflict.foreseen';
  readonly group: string;
  readonly key: string;
  /** The merger of the key. */
  readonly rule: string;
  /** The one that writes first or has written, and the one that meets it. */
  readonly tasks: readonly [string, string];
}

/** Something that a person should know of, as the document asks. */
export interface AlertRaised {
  readonly type: 'alert.raised';
  /** What it is about; the last part of the subject that it is published to. */
  readonly name: string;
  readonly group: string;
  /** Whom it is for, as the document says. */
  readonly to: string;
  readonly message: string;
}
