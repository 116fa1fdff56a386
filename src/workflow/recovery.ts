import type { ErrorClass } from '../core/errors.ts';
import type { Plain } from '../core/plain.ts';

/** What the document says about work that has failed: whom it goes to, and who decides when nobody is left. */

/** Steps of an escalation ladder, from the cheapest to a person. */
export const rungKinds = [
  'retry',
  'other_worker',
  'other_model',
  'degrade',
  'supervisor',
  'person',
] as const;

/** One step of an escalation ladder. */
export type RungKind = (typeof rungKinds)[number];

/** What a rung ends with when its attempts, its time or its cost are used up. */
export type RungDefault = 'next' | 'use_default' | 'fail' | 'skip';

/** A rung of a task's ladder. */
export interface RungSpec {
  readonly kind: RungKind;
  /** Attempts on this rung; undefined: what its kind has as a default. */
  readonly attempts?: number | undefined;
  /** From the moment on when the rung is reached; undefined: without end. */
  readonly deadlineMs?: number | undefined;
  /** What the task may spend on this rung; undefined: no cap. */
  readonly maxCost?: number | undefined;
  readonly otherwise: RungDefault;
  /** For `degrade`: how less is done. */
  readonly degrade?: DegradeSpec | undefined;
  /** For `supervisor`: `group:ID` or `run`. */
  readonly of?: string | undefined;
  /** Reached only when every other member of the task's group has failed as well. */
  readonly ifAllFailed?: true;
}

/** How less is done: by another agent, by another model, with another input, or nothing but a value. */
export interface DegradeSpec {
  readonly agent?: string | undefined;
  readonly model?: string | undefined;
  readonly with?: Plain | undefined;
  readonly default?: Plain | undefined;
}

/** What retry limits can tell failures apart by: the class of the error, or that whoever refused said how long to wait. */
export type RetryClass = Exclude<ErrorClass, 'cancelled'> | 'rate_limited';

/** Time after which a question to a person is answered by its default, where the document says none. */
export const personDeadlineMs = 24 * 3_600_000;
