import { advance } from './advance.ts';
import type { RunCore } from './core.ts';
import { expansionJoined } from './expansion.ts';
import { groupEnded, taskEnded } from './settle.ts';
import { completed } from './validation.ts';

/**
 * Works the agenda off: ends first, so that what they release starts together. Everything that one step
 * causes is put on the agenda and taken from it here; a cascade of 100,000 skips uses no stack.
 */
export function pump(core: RunCore): void {
  const { agenda } = core;
  while (
    agenda.ended.length + agenda.joined.length + agenda.completed.length + agenda.ready.length >
    0
  ) {
    for (const id of agenda.ended.splice(0)) taskEnded(core, id);
    for (const id of agenda.joined.splice(0)) groupJoined(core, id);
    for (const id of agenda.completed.splice(0)) completed(core, id);
    advance(core, agenda.ready.splice(0));
  }
  tellIfDone(core);
}

function groupJoined(core: RunCore, id: string): void {
  if (core.book.expanded(id)) expansionJoined(core, id);
  else groupEnded(core, id);
}

function tellIfDone(core: RunCore): void {
  if (core.holding > 0) return;
  if (core.halted === 'shutdown') core.self.send({ type: 'work.stopped' });
  else if (core.settled.size === core.graph.nodes.length) core.self.send({ type: 'work.finished' });
}
