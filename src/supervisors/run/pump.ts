import { advance } from './advance.ts';
import type { RunCore } from './core.ts';
import { dispatch } from './dispatch.ts';
import { expansionJoined } from './expansion.ts';
import { isPlanStale } from './pace.ts';
import { contribute } from './groups.ts';
import { endLate } from './late-members.ts';
import { liftPause } from './parking.ts';
import { carryOut } from './release.ts';
import { groupEnded, taskEnded } from './cascade.ts';
import { watchForStuck } from './stuck.ts';
import { completed } from './validation.ts';
import { beginMerge } from './workspaces.ts';

/**
 * Works the agenda off: what has become durable first, then ends, so that what they release starts
 * together. Everything that one step causes is put on the agenda and taken from it here: a cascade of
 * 100,000 skips uses no stack, and a task that starts and ends costs the run one event.
 */
export function pump(core: RunCore): void {
  const { agenda } = core;
  core.inTurn = true;
  try {
    while (isBusy(core) || endLate(core) || liftPause(core)) {
      core.ledger.drain();
      for (const id of agenda.ended.splice(0)) taskOver(core, id);
      for (const { group, member } of agenda.contributed.splice(0)) contribute(core, group, member);
      for (const { group, decision } of agenda.decided.splice(0)) carryOut(core, group, decision);
      for (const id of agenda.joined.splice(0)) groupJoined(core, id);
      for (const id of agenda.completed.splice(0)) {
        core.hedges?.lose(id);
        completed(core, id);
      }
      advance(core, agenda.ready.splice(0));
      dispatch(core, agenda.granted.splice(0));
    }
  } finally {
    core.inTurn = false;
  }
  tellIfDone(core);
}

function isBusy(core: RunCore): boolean {
  const { agenda, ledger } = core;
  return (
    ledger.isDue ||
    isPlanStale(core) ||
    Object.values(agenda).some((list: readonly unknown[]) => list.length > 0)
  );
}

/** What it left in its workspace is merged before others go on. */
function taskOver(core: RunCore, id: string): void {
  core.hedges?.lose(id);
  if (!beginMerge(core, id)) taskEnded(core, id);
}

function groupJoined(core: RunCore, id: string): void {
  if (beginMerge(core, id)) return;
  if (core.book.expanded(id)) expansionJoined(core, id);
  else groupEnded(core, id);
}

function tellIfDone(core: RunCore): void {
  if (core.holding > 0) return;
  if (core.halted === 'shutdown') core.self.send({ type: 'work.stopped' });
  else if (isDone(core)) core.self.send({ type: 'work.finished' });
  else watchForStuck(core);
}

/** Every task and group is settled, and so are the groups that splits have made. */
export function isDone({ holding, openGroups, settled, graph }: RunCore): boolean {
  return holding === 0 && openGroups === 0 && settled.size === graph.nodes.length;
}
