import type { TroupeError } from '../../core/errors.ts';
import type { TaskRow } from '../../journal/run-state.ts';
import type { RunCore } from './core.ts';
import { enqueue } from './agenda.ts';
import { endEscalation } from './escalations.ts';
import { scheduleAgain } from './barrier-shift.ts';
import { goOn } from './parking.ts';
import type { RunVerb } from './run-verb.ts';
import { answerOutcome, outcomeOfVerb } from './verb-outcome.ts';
import type { VerbOutcome } from './verb-outcome.ts';
import { leave } from './verdict.ts';

/** What a person asks of a run that lives: answer, pause, resume, retry, skip. */

/** Carries a verb out; `answer` is called when it is durable, or with the reason why not. */
export function carryOutVerb(
  core: RunCore,
  verb: RunVerb,
  answer: (error?: TroupeError) => void,
): void {
  let outcome: VerbOutcome;
  try {
    outcome = outcomeOfVerb(core, verb);
  } catch (error) {
    return answer(error as TroupeError);
  }
  commitOutcome(core, outcome, { by: verb.by, answer });
}

/** Carries out what a person has answered before a crash. */
export function answerAgain(core: RunCore, row: TaskRow): void {
  const { choice, value = null, by } = row.recovery?.answer ?? {};
  if (choice === undefined || choice === 'escalate' || by === undefined) return;
  commitOutcome(core, answerOutcome(core, row, { choice, value, by }), { by });
}

function commitOutcome(
  core: RunCore,
  outcome: VerbOutcome,
  { by, answer }: { readonly by: string; readonly answer?: () => void },
): void {
  const { records } = outcome;
  const isLifted = records.some(({ type }) => type === 'run.resumed');
  for (const id of outcome.ended ?? [])
    core.services.governor.send({ type: 'permit.withdraw', scope: core.run, id });
  core.ledger.commit(records, () => {
    answer?.();
    for (const id of outcome.completed ?? []) leave(core, id, 'succeeded');
    for (const id of outcome.retried ?? []) endEscalation(core, id);
    enqueue(core.agenda.ended, outcome.ended ?? []);
    enqueue(core.agenda.completed, outcome.completed ?? []);
    enqueue(core.agenda.ready, outcome.retried ?? []);
    if (isLifted) goOn(core);
    if (records.some(({ type }) => type === 'run.cancel_requested'))
      core.self.send({ type: 'run.cancel', by });
  });
  // At once: the time of no barrier may be over that the pause has moved.
  if (isLifted) scheduleAgain(core);
}
