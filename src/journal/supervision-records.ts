import type { Plain } from '../core/plain.ts';
import type { RestartStrategy } from '../policies/restart-spec.ts';

/** What supervision writes down: orderly stops, restarts of groups, and what could not be delivered. */
export type SupervisionRecord = RunInterrupted | GroupRestarted | GroupEscalated | LetterDead;

/** The owner stops here in good order, with attempts under way: they have not killed it. */
export interface RunInterrupted {
  readonly type: 'run.interrupted';
}

/** A member's attempt failed, and its group's strategy begins it, and others with it, again. */
export interface GroupRestarted {
  readonly type: 'group.restarted';
  readonly group: string;
  readonly strategy: RestartStrategy;
  /** The member whose attempt has failed. */
  readonly failed: string;
  /** Members whose attempts were running and are begun again; these attempts count against no retry policy. */
  readonly members: readonly string[];
  /** When they begin again, wall milliseconds. */
  readonly due: number;
}

/** A group was restarted as often as it may be: its members that have not ended are ended. Once per group. */
export interface GroupEscalated {
  readonly type: 'group.escalated';
  readonly group: string;
  /** The member whose attempt was the last to fail. */
  readonly failed: string;
  readonly max_restarts: number;
  readonly within_ms: number;
}

/** Something was meant for the run, or came from it, and could be neither delivered nor applied. */
export interface LetterDead {
  readonly type: 'letter.dead';
  readonly kind: 'late_result' | 'overflow' | 'undeliverable' | 'refused';
  /** For people. */
  readonly reason: string;
  readonly task?: string;
  readonly attempt?: number;
  /** What it was, up to a size; absent: it was larger, or is not known. */
  readonly letter?: Plain;
}
