import type { ErrorInfo } from '../../core/errors.ts';
import type { Assignment, EscalationOpened } from '../../journal/recovery-record.ts';
import type { RecordBody } from '../../journal/record.ts';
import type { RecoveryRow } from '../../journal/recovery-rows.ts';
import { climb } from '../../policies/escalation.ts';
import type { ClimbStep, LadderPlace, RungEnd } from '../../policies/escalation.ts';
import type { TaskSpec } from '../../workflow/model.ts';
import type { RungSpec } from '../../workflow/recovery.ts';
import { assignmentFor, candidateOf, candidatesFor } from './assignment.ts';
import { choicesFor } from './choices.ts';
import type { RunCore } from './core.ts';
import { othersFailed } from './group-standing.ts';

/** Where a failure takes a task on its ladder, and the records that say so. Nothing is carried out here. */

/** A failure, or the end of a rung's time, as the ladder sees it. */
export interface Climber {
  readonly task: TaskSpec;
  readonly ladder: readonly RungSpec[];
  /** The attempt that has failed, or the last one that had. */
  readonly attempt: number;
  /** False: no attempt has failed now; the time of the rung is over. */
  readonly hasFailed: boolean;
  readonly error: ErrorInfo;
  /** Why the retry policy does not let the same agent try once more. */
  readonly retryEnd: 'attempts' | 'not_retryable' | undefined;
}

/** Where it leads. */
export interface Climbed {
  /** What has to be in the journal before it is carried out. */
  readonly records: readonly RecordBody[];
  readonly step: ClimbStep;
  /** The rung that it leads to; undefined: to the end. */
  readonly rung: RungSpec | undefined;
  /** The ladder has not been entered yet. */
  readonly isFirst: boolean;
  /** For a rung on which attempts are made: who makes the next one. */
  readonly next: Assignment | undefined;
}

/** Climbs as far as nobody has to be waited for: a supervisor hands up at once. */
export function climbed(core: RunCore, climber: Climber): Climbed {
  const recovery = core.ledger.state.tasks.get(climber.task.id)?.recovery;
  const records: RecordBody[] = [];
  const isFirst = recovery?.escalation === undefined;
  let place = placeOf(recovery, climber);
  for (;;) {
    const step = stepFrom(core, climber, place);
    if (step.kind !== 'again' && place)
      records.push(...expired(climber, { left: step.left, place, recovery }));
    const rung = step.kind === 'end' ? undefined : climber.ladder[step.index];
    if (step.kind === 'end' || !rung) return { records, step, rung, next: undefined, isFirst };
    const next = nextOn(core, climber, { rung, recovery });
    if (step.kind === 'up') records.push(opened(core, climber, { rung, index: step.index, next }));
    if (rung.kind !== 'supervisor') return { records, step, rung, next, isFirst };
    records.push(handedUp(core, climber.task.id, { of: rung.of ?? 'run', ahead: records.length }));
    place = { index: step.index, attempts: 0, cost: 0, deadline: undefined };
  }
}

function stepFrom(core: RunCore, climber: Climber, place: LadderPlace | undefined): ClimbStep {
  return climb(climber.ladder, {
    place,
    now: core.services.clock.now(),
    attemptsOf: (rung) => attemptsOf(core, climber.task, rung),
    retryEnd: climber.retryEnd,
  });
}

/** Whether the next attempt is made by whoever has just failed. */
export function isSameAgain(core: RunCore, task: TaskSpec, next: Assignment | undefined): boolean {
  const by = core.ledger.state.tasks.get(task.id)?.recovery?.by;
  const [before, after] = [candidateOf(task, by), candidateOf(task, next)];
  return before.agent === after.agent && before.model === after.model;
}

function placeOf(
  recovery: RecoveryRow | undefined,
  { attempt, hasFailed }: Climber,
): LadderPlace | undefined {
  const escalation = recovery?.escalation;
  if (!escalation) return undefined;
  const { opened: at, attempts, cost } = escalation;
  const ofThisRung = hasFailed && attempt > at.after;
  return {
    index: at.index,
    attempts: attempts + Number(ofThisRung),
    cost,
    deadline: at.deadline,
  };
}

function attemptsOf(core: RunCore, task: TaskSpec, rung: RungSpec): number {
  if (rung.ifAllFailed && !othersFailed(core, task)) return 0;
  const candidates = candidatesFor(core, task, rung).length;
  if (candidates === 0) return 0;
  return rung.attempts ?? (rung.kind === 'other_model' ? candidates : 1);
}

function nextOn(
  core: RunCore,
  { task, attempt, hasFailed }: Climber,
  { rung, recovery }: { rung: RungSpec; recovery: RecoveryRow | undefined },
): Assignment | undefined {
  if (rung.kind === 'supervisor' || rung.kind === 'person') return undefined;
  const past = recovery?.failed ?? [];
  const failed = hasFailed ? [...past, recovery?.by ?? {}] : past;
  return assignmentFor(core, task, { rung, failed, attempt });
}

function opened(
  core: RunCore,
  { task, attempt, error, ladder }: Climber,
  { rung, index, next }: { rung: RungSpec; index: number; next: Assignment | undefined },
): EscalationOpened {
  const { deadlineMs, maxCost, otherwise } = rung;
  return {
    type: 'escalation.opened',
    task: task.id,
    rung: rung.kind,
    index,
    of: rung.of ?? ownerOf(ladder, index),
    after: attempt,
    otherwise,
    ...(deadlineMs !== undefined && { deadline: core.services.clock.now() + deadlineMs }),
    ...(maxCost !== undefined && { max_cost: maxCost }),
    ...(rung.kind === 'person' && { choices: choicesFor(task) }),
    ...(next && { next }),
    error,
  };
}

/** Rungs behind that of a supervisor are that supervisor's. */
function ownerOf(ladder: readonly RungSpec[], index: number): string {
  const above = ladder.slice(0, index).findLast(({ kind }) => kind === 'supervisor');
  return above?.of ?? 'task';
}

function expired(
  { task, retryEnd, ladder }: Climber,
  rung: {
    readonly left: RungEnd | undefined;
    readonly place: LadderPlace;
    readonly recovery: RecoveryRow | undefined;
  },
): readonly RecordBody[] {
  const { left, place, recovery } = rung;
  const { index, cost } = place;
  const escalation = recovery?.escalation;
  if (!left || left === 'handed_up' || escalation?.opened.index !== index) return [];
  const cause = left === 'attempts' && retryEnd === 'not_retryable' ? retryEnd : left;
  const otherwise = ladder[index]?.otherwise ?? 'next';
  const { id } = escalation;
  const over = { escalation: id, task: task.id, cause, default: otherwise, cost } as const;
  return [{ type: 'escalation.expired', ...over }];
}

/** The number of its `escalation.opened` is known before it is written: records are numbered without gaps. */
function handedUp(
  { ledger }: RunCore,
  task: string,
  { of, ahead }: { of: string; ahead: number },
): RecordBody {
  const escalation = ledger.state.seq + ahead;
  return { type: 'escalation.answered', escalation, task, choice: 'escalate', by: of };
}
