import type { RunCore } from './core.ts';
import { showRung } from './escalations.ts';
import { exhaustedTasks } from './parking.ts';
import { answerAgain } from './verbs.ts';

/** Puts failures where the journal says they are: on their rungs, with their questions, and the pause they led to. */
export function restoreRecovery(core: RunCore): void {
  const { state } = core.ledger;
  for (const row of state.tasks.values()) {
    if (row.phase === 'ended' || !row.recovery) continue;
    if (row.recovery.escalation) showRung(core, row.id);
    if (row.phase === 'parked' && row.recovery.answer) answerAgain(core, row);
  }
  settlePause(core);
}

/** A crash may have come between what a pause is for and the pause itself. */
function settlePause(core: RunCore): void {
  const { paused } = core.ledger.state;
  const [task] = exhaustedTasks(core);
  if (!paused && task !== undefined)
    core.ledger.commit([{ type: 'run.paused', by: 'policy', task }]);
}
