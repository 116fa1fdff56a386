import type { ErrorInfo } from '../core/errors.ts';
import type { AnswerChoice } from '../journal/recovery-record.ts';
import type { RunState, TaskRow } from '../journal/run-state.ts';
import type { RungDefault, RungKind } from '../workflow/recovery.ts';

/** What failures of a run wait for. */
export interface RecoveryReport {
  /** Nothing new is dispatched; null: the run is not paused. */
  readonly paused: PauseReport | null;
  /** Open questions, oldest first: `troupe answer RUN ID CHOICE`. */
  readonly questions: readonly QuestionReport[];
  /** Tasks that are on a rung of their ladder above the retries, and where nobody is asked. */
  readonly escalations: readonly RungReport[];
  /** Tasks that nothing will ever start; known to the process alone that carries the run. */
  readonly stuck: readonly string[];
  /** The run whose results this one goes on from; null: it is no fork. */
  readonly forked: { readonly run: string; readonly task: string } | null;
}

/** Why a run is paused. */
export interface PauseReport {
  readonly by: string;
  /** ISO 8601. */
  readonly since: string;
  /** Tasks for which it waits: `troupe retry RUN TASK`, or skip. */
  readonly tasks: readonly string[];
}

/** A place on a ladder. */
export interface RungReport {
  readonly task: string;
  readonly rung: RungKind;
  /** `task`, `group:ID` or `run`. */
  readonly of: string;
  /** ISO 8601; null: without end. */
  readonly deadline: string | null;
  /** What happens at the deadline. */
  readonly default: RungDefault;
  /** Spent on this rung. */
  readonly cost: number;
}

/** Something that a person has to decide. */
export interface QuestionReport extends RungReport {
  readonly id: number;
  /** ISO 8601. */
  readonly asked_at: string;
  readonly choices: readonly AnswerChoice[];
  readonly error: ErrorInfo;
}

/** What failures wait for, from the fold of a journal. */
export function recoveryReport(
  state: RunState,
  stuck: readonly string[] | undefined,
): RecoveryReport {
  const { paused, forked, status } = state;
  const rows =
    status === 'ended' ? [] : [...state.tasks.values()].filter(({ recovery }) => recovery);
  const parked = rows.filter(({ phase }) => phase === 'parked');
  return {
    paused: paused
      ? {
          by: paused.by,
          since: iso(paused.at),
          tasks: parked.filter((row) => row.recovery?.parked === 'exhausted').map(({ id }) => id),
        }
      : null,
    questions: parked.flatMap(questionOf).sort((a, b) => a.id - b.id),
    escalations: rows.filter(({ phase }) => phase !== 'parked').flatMap(rungOf),
    stuck: stuck ?? [],
    forked: forked ?? null,
  };
}

function questionOf(row: TaskRow): QuestionReport[] {
  const { escalation, parked } = row.recovery ?? {};
  if (!escalation || parked !== 'question') return [];
  const { choices = [], error } = escalation.opened;
  const { id, openedAt } = escalation;
  return placeOf(row).map((place) => ({ ...place, id, asked_at: iso(openedAt), choices, error }));
}

function rungOf(row: TaskRow): RungReport[] {
  return row.recovery?.escalation?.opened.rung === 'retry' ? [] : placeOf(row);
}

function placeOf({ id, recovery }: TaskRow): RungReport[] {
  const { escalation } = recovery ?? {};
  if (!escalation) return [];
  const { rung, of, deadline, otherwise } = escalation.opened;
  return [
    {
      task: id,
      rung,
      of,
      deadline: deadline === undefined ? null : iso(deadline),
      default: otherwise,
      cost: escalation.cost,
    },
  ];
}

function iso(at: number): string {
  return new Date(at).toISOString();
}
