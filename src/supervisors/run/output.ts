import type { Census, TaskOutcome } from '../../core/outcome.ts';
import type { Plain } from '../../core/plain.ts';
import { aggregate } from '../../results/aggregation.ts';
import { countOutcomes } from '../../results/census.ts';
import type { RunCore } from './core.ts';

/** A task's output as others may use it: its own, or its declared default; undefined: a gap. */
export function usableOutput({ ledger, book }: RunCore, id: string): Plain | undefined {
  const row = ledger.state.tasks.get(id);
  if (row?.outcome === 'succeeded' || row?.phase === 'completed') return row.output;
  return row?.phase === 'ended' ? book.task(id).default : undefined;
}

/**
 * A group's output: what it was joined to, or, while it is still open, what its members have brought so
 * far. One slot per member in document order; gaps are null and never shift the others.
 */
export function groupOutput(core: RunCore, id: string): Plain {
  const row = core.ledger.state.groups.get(id);
  if (row?.phase === 'ended') return row.output;
  return joinedOutput(core, id);
}

/** The members' outputs joined as the group asks for; an aggregation by function is left to its task. */
export function joinedOutput(core: RunCore, id: string): Plain {
  const group = core.book.group(id);
  const outputs = group.members.map((member) => usableOutput(core, member) ?? null);
  if (group.aggregate?.kind === 'function') return outputs;
  return aggregate(group.aggregate, outputs);
}

/** How a group's members stand; members that have not ended are not counted. */
export function groupCensus({ ledger, book }: RunCore, id: string): Census {
  const outcomes: TaskOutcome[] = [];
  let late = 0;
  for (const member of book.group(id).members) {
    const row = ledger.state.tasks.get(member);
    if (row?.outcome) outcomes.push(row.outcome);
    late += row?.late ?? 0;
  }
  return { ...countOutcomes(outcomes), late };
}
