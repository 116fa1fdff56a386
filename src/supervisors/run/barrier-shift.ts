import { scheduleBarrier, scheduleBound } from './barrier-deadlines.ts';
import type { LiveGroup, RunCore } from './core.ts';

/** Waits for the times of all barriers as the journal has them now: a pause that is over has moved them. */
export function scheduleAgain(core: RunCore): void {
  for (const live of core.groups.values()) scheduleOne(core, live);
}

function scheduleOne(core: RunCore, live: LiveGroup): void {
  const row = core.ledger.state.groups.get(live.id);
  if (row?.phase !== 'open') return;
  const { deadline, softDeadline, hardDeadline } = row;
  if (deadline !== undefined) scheduleBarrier(core, live, deadline);
  if (softDeadline !== undefined)
    scheduleBound(core, live, { bound: 'soft', deadline: softDeadline });
  if (hardDeadline !== undefined)
    scheduleBound(core, live, { bound: 'hard', deadline: hardDeadline });
}
