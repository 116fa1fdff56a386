import { TroupeError } from '../../core/errors.ts';
import type { Reason } from '../../core/outcome.ts';
import type { AnswerChoice } from '../../journal/recovery-record.ts';
import type { RecordBody } from '../../journal/record.ts';
import type { TaskRow } from '../../journal/run-state.ts';
import { choicesFor } from './choices.ts';
import type { RunCore } from './core.ts';
import { exhaustedTasks } from './parking.ts';
import type { RunVerb } from './run-verb.ts';

/** What a verb comes to, as records: the same for a run that lives and for one that nobody carries. */
export interface VerbOutcome {
  readonly records: readonly RecordBody[];
  /** Tasks that end with it, that have an output with it, and that are tried once more. */
  readonly ended?: readonly string[];
  readonly completed?: readonly string[];
  readonly retried?: readonly string[];
}

type VerbOf<Verb extends RunVerb['verb']> = Extract<RunVerb, { verb: Verb }>;

/** @throws TroupeError TRP_RUN_ENDED, TRP_QUESTION_UNKNOWN, TRP_ANSWER_INVALID, TRP_TASK_STATE */
export function outcomeOfVerb(core: RunCore, verb: RunVerb): VerbOutcome {
  const { status, paused } = core.ledger.state;
  if (status === 'ended')
    throw new TroupeError('TRP_RUN_ENDED', `Run ${core.run} has ended.`, { place: core.run });
  switch (verb.verb) {
    case 'answer':
      return answered(core, verb);
    case 'pause':
      return { records: paused ? [] : [{ type: 'run.paused', by: verb.by }] };
    case 'resume':
      return resumed(core, verb.by);
    case 'retry':
      return retried(core, verb);
    case 'skip':
      return skipped(core, verb);
  }
}

/** The task that has asked a question; undefined: no such question is open. */
function questionOf({ ledger }: RunCore, question: number): TaskRow | undefined {
  for (const row of ledger.state.tasks.values()) {
    // One that is parked since nothing is left to try has its question behind it.
    const isAsked = row.phase === 'parked' && row.recovery?.parked === 'question';
    if (isAsked && row.recovery?.escalation?.id === question) return row;
  }
  return undefined;
}

/** What follows from an answer, without the record of the answer itself. */
export function answerOutcome(
  core: RunCore,
  row: TaskRow,
  { choice, value = null, by }: Pick<VerbOf<'answer'>, 'choice' | 'value' | 'by'>,
): VerbOutcome {
  const { id } = row;
  switch (choice) {
    case 'retry':
      return { records: [{ type: 'task.retried', task: id, by }], retried: [id] };
    case 'skip':
      return ending(row, { outcome: 'skipped', reason: 'skipped_by_user' });
    case 'use_default':
      return ending(row, { outcome: 'failed', reason: 'default_used' });
    case 'fail':
      return ending(row, { outcome: 'failed', reason: 'failed_by_user' });
    case 'cancel':
      return { records: [{ type: 'run.cancel_requested', by }] };
    case 'value': {
      const isChecked = core.book.checkersOf(id).length > 0;
      const type = isChecked ? 'task.completed' : 'task.succeeded';
      const records = [{ type, task: id, attempt: row.attempt, output: value } as const];
      return isChecked ? { records, completed: [id] } : { records, ended: [id] };
    }
  }
}

function answered(core: RunCore, verb: VerbOf<'answer'>): VerbOutcome {
  const { question, choice, value, note, by } = verb;
  const row = questionOf(core, question);
  if (!row) {
    const message = `Run ${core.run} has no open question ${question}.`;
    throw new TroupeError('TRP_QUESTION_UNKNOWN', message, { place: core.run });
  }
  checkChoice(core, row, choice);
  const answer: RecordBody = {
    type: 'escalation.answered',
    escalation: question,
    task: row.id,
    choice,
    ...(value !== undefined && { value }),
    by,
    ...(note !== undefined && { note }),
  };
  const outcome = answerOutcome(core, row, verb);
  return { ...outcome, records: [answer, ...outcome.records] };
}

function checkChoice({ book }: RunCore, { id }: TaskRow, choice: AnswerChoice): void {
  const choices = choicesFor(book.task(id));
  if (choices.includes(choice)) return;
  const message = `The question of task "${id}" takes ${choices.join(', ')}, not ${choice}.`;
  throw new TroupeError('TRP_ANSWER_INVALID', message, { place: id });
}

/** The run goes on without what it was paused for. */
function resumed(core: RunCore, by: string): VerbOutcome {
  if (!core.ledger.state.paused) return { records: [] };
  const ended = exhaustedTasks(core);
  const ends = ended.flatMap((id) => {
    const row = core.ledger.state.tasks.get(id);
    const isTimeout = row?.error?.errorClass === 'timeout';
    return row
      ? ending(row, {
          outcome: isTimeout ? 'timed_out' : 'failed',
          reason: isTimeout ? 'attempt_timeout' : 'attempts_exhausted',
        }).records
      : [];
  });
  return { records: [...ends, { type: 'run.resumed', by }], ended };
}

function retried(core: RunCore, { task, by }: VerbOf<'retry'>): VerbOutcome {
  const row = known(core, task);
  if (row?.phase === 'parked') {
    const record: RecordBody = { type: 'task.retried', task, by };
    return { records: [record, ...lifted(core, task, by)], retried: [task] };
  }
  throw wrongState(
    task,
    row,
    'tried once more while it waits for a word, or when the run has ended',
  );
}

function skipped(core: RunCore, { task, by }: VerbOf<'skip'>): VerbOutcome {
  const row = known(core, task);
  if (isBusy(core, task, row))
    throw wrongState(task, row, 'skipped while nothing of it runs and it has not ended');
  const { default: output } = core.book.task(task);
  const end =
    output === undefined
      ? ({ outcome: 'skipped', reason: 'skipped_by_user' } as const)
      : ({ outcome: 'failed', reason: 'default_used' } as const);
  const { records } = ending(row ?? { id: task, error: undefined }, end);
  return { records: [...records, ...lifted(core, task, by)], ended: [task] };
}

/** Something of it runs, or is being decided, or it has ended. */
function isBusy(core: RunCore, task: string, row: TaskRow | undefined): boolean {
  const phase = row?.phase ?? 'waiting';
  const isIdle = phase === 'parked' || phase === 'waiting' || phase === 'backing_off';
  const { holding = false, undecided = false } = core.live.get(task) ?? {};
  return !isIdle || row?.items !== undefined || holding || undecided;
}

/** The pause is over with the last task that the run was paused for. */
function lifted(core: RunCore, task: string, by: string): readonly RecordBody[] {
  if (core.ledger.state.paused?.task === undefined) return [];
  const others = exhaustedTasks(core).filter((id) => id !== task);
  return others.length > 0 ? [] : [{ type: 'run.resumed', by }];
}

function ending(
  { id, error }: Pick<TaskRow, 'id' | 'error'>,
  end: { readonly outcome: 'failed' | 'skipped' | 'timed_out'; readonly reason: Reason },
): VerbOutcome {
  const record = { type: 'task.ended', task: id, ...end, ...(error && { error }) } as const;
  return { records: [record], ended: [id] };
}

function known({ book, ledger }: RunCore, task: string): TaskRow | undefined {
  if (book.ids().includes(task)) return ledger.state.tasks.get(task);
  throw new TroupeError('TRP_TASK_STATE', `The run has no task "${task}".`, { place: task });
}

function wrongState(task: string, row: TaskRow | undefined, when: string): TroupeError {
  const phase = (row?.phase ?? 'waiting').replace('_', ' ');
  const message = `Task "${task}" is ${phase}; a task can be ${when}.`;
  return new TroupeError('TRP_TASK_STATE', message, { place: task });
}
