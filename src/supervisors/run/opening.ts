import type { RecordBody } from '../../journal/record.ts';
import type { RunCore } from './core.ts';

/** The first records of this ownership: the run's own work begins when they are durable. */
export function openRun(core: RunCore): void {
  const { state } = core.ledger;
  const records: RecordBody[] = [{ type: 'lease.taken', epoch: core.epoch, node: core.node }];
  if (state.status === 'created') records.unshift(core.start);
  if (state.status === 'ended') records.push({ type: 'run.reopened' });
  if (core.cancelBy !== undefined)
    records.push({ type: 'run.cancel_requested', by: core.cancelBy });
  core.ledger.commit(records, () => core.self.send({ type: 'run.opened' }));
}
