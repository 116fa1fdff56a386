import { TroupeError } from '../../core/errors.ts';
import { capReached } from '../../policies/budget.ts';
import type { BudgetCap, Spend } from '../../policies/budget.ts';
import type { RunCore } from './core.ts';
import { endTask, hasEnded, skipTask } from './task-end.ts';

/** What a run may spend. A cap that is reached stops what would begin; what runs may end. */

/** Something was spent by an attempt, whatever becomes of it. */
export function noteSpend(
  core: RunCore,
  spent: { task: string; attempt: number; agent: string; spend: Spend },
): void {
  const { task, attempt, agent, spend } = spent;
  const loser = core.hedges?.hasLost(task, attempt) && { loser: true as const };
  core.ledger.commit([{ type: 'attempt.spent', task, attempt, agent, ...spend, ...loser }]);
  checkBudget(core);
}

/** Looks whether a cap was reached, and stops what that cap is for. */
function checkBudget(core: RunCore): void {
  const { spend } = core.ledger.state;
  const { budget, agents } = core.book.workflow;
  const cap = capReached(budget, spend.total);
  if (cap) exhaust(core, cap);
  for (const [id, ofAgent] of spend.byAgent) {
    const own = capReached(agents[id]?.budget, ofAgent);
    if (own) exhaust(core, own, id);
  }
}

/** The time of the budget runs from the start, or the newest reopening. */
export function armBudget(core: RunCore): void {
  checkBudget(core);
  const { timeMs } = core.book.workflow.budget ?? {};
  if (timeMs === undefined) return;
  core.budgetTimer = core.services.deadlines.at(core.ledger.state.activeSince + timeMs, () =>
    core.self.send({ type: 'budget.time_over' }),
  );
}

/** A cap is reached: of the run, or of one agent. */
export function exhaust(core: RunCore, cap: BudgetCap, agent?: string): void {
  const { exhausted } = core.ledger.state.spend;
  if (core.halted || exhausted.has(agent ?? '')) return;
  const whose = agent === undefined ? {} : { agent };
  core.ledger.commit([{ type: 'budget.exhausted', cap, ...whose }]);
  for (const [id, { request, calls }] of core.live) {
    const error = calls && budgetError(core, request?.agent.id ?? '', id);
    if (error) calls.refuse(error);
  }
  for (const id of core.book.ids()) stopWaiting(core, id);
}

/** Why an agent may begin nothing more; undefined: it may. */
export function budgetError(core: RunCore, agent: string, place = agent): TroupeError | undefined {
  const { exhausted } = core.ledger.state.spend;
  if (exhausted.size === 0) return undefined;
  const ofRun = exhausted.get('');
  const cap = ofRun ?? exhausted.get(agent);
  if (!cap) return undefined;
  const whose = ofRun ? 'the run' : `agent "${agent}"`;
  return new TroupeError('TRP_BUDGET_EXHAUSTED', `The budget of ${whose} is spent: ${cap}.`, {
    place,
  });
}

/** Ends a task that may not begin any more. False: it may. */
export function stopUnpaid(core: RunCore, id: string): boolean {
  if (core.ledger.state.spend.exhausted.size === 0) return false;
  // What joins the outputs of others is no work of its own.
  if (core.book.aggregates(id) !== undefined || core.book.isExpanded(id)) return false;
  if (!budgetError(core, core.book.task(id).agent, id)) return false;
  const row = core.ledger.state.tasks.get(id);
  const { error } = row ?? {};
  if (row && row.attempt > 0 && error)
    endTask(core, id, { outcome: 'failed', reason: 'budget_exhausted', error });
  else skipTask(core, id, 'budget_exhausted');
  return true;
}

function stopWaiting(core: RunCore, id: string): void {
  if (hasEnded(core, id) || core.live.get(id)?.holding) return;
  const { phase } = core.ledger.state.tasks.get(id) ?? {};
  if (phase === 'completed' || phase === 'running') return;
  if (core.live.get(id)?.undecided) return;
  if (!stopUnpaid(core, id)) return;
  core.live.get(id)?.retryTimer?.cancel();
  core.services.governor.send({ type: 'permit.withdraw', scope: core.run, id });
}
