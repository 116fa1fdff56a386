import type { RecordBody } from '../../journal/record.ts';
import { downstreamOf } from '../../planning/downstream.ts';
import type { RunCore } from './core.ts';
import { outcomeOfVerb } from './verb-outcome.ts';

/** A task that is tried once more opens only itself and what its result goes into. */
function reopening({ opening, book }: RunCore): RecordBody {
  if (opening?.verb !== 'retry') return { type: 'run.reopened' };
  return { type: 'run.reopened', only: downstreamOf(book.workflow, opening.task) };
}

/** The first records of this ownership: the run's own work begins when they are durable. */
export function openRun(core: RunCore): void {
  const { state } = core.ledger;
  const records: RecordBody[] = [{ type: 'lease.taken', epoch: core.epoch, node: core.node }];
  if (state.status === 'created') {
    records.unshift(core.start);
    for (const record of core.inherited ?? []) records.push(record);
  }
  if (state.status === 'ended') records.push(reopening(core));
  else if (core.opening) records.push(...outcomeOfVerb(core, core.opening).records);
  if (core.cancelBy !== undefined)
    records.push({ type: 'run.cancel_requested', by: core.cancelBy });
  core.ledger.commit(records, () => core.self.send({ type: 'run.opened' }));
}
