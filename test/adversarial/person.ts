import type { TroupeError } from '../../src/core/errors.ts';
import type { TaskRow } from '../../src/journal/run-state.ts';
import type { Dice } from '../../src/simulation/dice.ts';
import type { RunVerb } from '../../src/supervisors/run/run-verb.ts';
import type { LateRun } from './one-process.ts';

/** How often a person looks, in milliseconds. */
const lookEveryMs = 70;

/** Refusals that a person gets who is a moment too late. */
const tooLate = new Set(['TRP_RUN_ENDED', 'TRP_TASK_STATE', 'TRP_QUESTION_UNKNOWN']);

/** Somebody who pauses a run now and then, and answers what it asks, in one way or another; sometimes twice. */
export function attend(run: LateRun, dice: Dice): void {
  const look = (): void => {
    if (run.end !== 'running') return;
    for (const verb of wishes(run, dice)) ask(run, verb);
    run.clock.setTimeout(look, lookEveryMs);
  };
  run.clock.setTimeout(look, lookEveryMs);
}

function ask(run: LateRun, verb: RunVerb): void {
  if (run.end !== 'running') return;
  const answer = (error?: TroupeError): void => {
    if (error && !tooLate.has(error.code)) run.refusals.push(error);
  };
  run.core.self.send({ type: 'verb.asked', verb, answer });
}

function wishes(run: LateRun, dice: Dice): RunVerb[] {
  const { state } = run.core.ledger;
  const by = 'somebody';
  const verbs: RunVerb[] = [];
  for (const row of state.tasks.values()) {
    if (row.phase !== 'parked' || !row.recovery || dice.chance(0.3)) continue;
    verbs.push(wordFor(row, dice));
  }
  if (state.paused && dice.chance(0.4)) verbs.push({ verb: 'resume', by });
  if (!state.paused && dice.chance(0.03)) verbs.push({ verb: 'pause', by });
  const [first] = verbs;
  return first && dice.chance(0.1) ? [...verbs, first] : verbs;
}

function wordFor({ id, recovery }: TaskRow, dice: Dice): RunVerb {
  const by = 'somebody';
  const question = recovery?.escalation?.id;
  if (recovery?.parked !== 'question' || question === undefined)
    return { verb: dice.pick(['retry', 'skip']), task: id, by };
  const choice = dice.pick(['retry', 'skip', 'fail', 'value'] as const);
  return { verb: 'answer', question, choice, value: 'V', by };
}
