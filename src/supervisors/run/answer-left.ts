import { TroupeError } from '../../core/errors.ts';
import type { RecordBody } from '../../journal/record.ts';
import { assembleRun } from './assemble.ts';
import type { AssemblyOptions } from './assemble.ts';
import { decisionRecords, unknownConflict } from './conflicts.ts';
import type { CollectionRef, Mailbox, RunCore } from './core.ts';
import type { RunEvent } from './events.ts';
import type { Resolution } from './resolution.ts';
import type { RunVerb } from './run-verb.ts';
import { outcomeOfVerb } from './verb-outcome.ts';
import { endAgain } from './run-end.ts';

const nobody: CollectionRef = {
  send: () => undefined,
  getSnapshot: () => ({ children: new Map() }),
};

/**
 * Applies what a person decided about an open conflict of a run that nobody carries, and nothing else: no task
 * runs. A run that had ended ends again, with what follows from the decision; any other stays resumable. Resolves when
 * it is durable; rejects with TRP_CONFLICT_UNKNOWN, or when the journal is lost.
 */
export function answerLeft(options: AssemblyOptions, resolution: Resolution): Promise<void> {
  return new Promise((resolve, reject) => {
    const core = leftCore(options, reject);
    const decision = decisionRecords(core, resolution);
    if (!decision) return reject(unknownConflict(core.run, resolution.conflict));
    const lease = { type: 'lease.taken', epoch: core.epoch, node: core.node } as const;
    core.ledger.commit([lease, ...decision]);
    core.ledger.commit(afterwards(core), resolve);
  });
}

/**
 * Writes what a person asks of a run that nobody carries into its journal, and nothing else: no task runs. Resolves
 * when it is durable; rejects with what the verb refuses, or when the journal is lost.
 */
export function applyLeft(options: AssemblyOptions, verb: RunVerb): Promise<void> {
  return new Promise((resolve, reject) => {
    const core = leftCore(options, reject);
    const lease = { type: 'lease.taken', epoch: core.epoch, node: core.node } as const;
    const { records } = outcomeOfVerb(core, verb);
    core.ledger.commit([lease, ...records], resolve);
  });
}

function leftCore(options: AssemblyOptions, reject: (error: TroupeError) => void): RunCore {
  const self: Mailbox<RunEvent> = {
    send: (event) => {
      if (event.type === 'records.durable') core.ledger.drain();
      if (event.type === 'run.faulted')
        reject(new TroupeError(event.error.code, event.error.message));
    },
  };
  const core = assembleRun(options, {
    self,
    supervisors: nobody,
    crew: nobody,
    escalations: nobody,
  });
  return core;
}

function afterwards(core: RunCore): readonly RecordBody[] {
  const { status, tasks } = core.ledger.state;
  if (status !== 'ended') return [];
  // Outputs may speak of members of tasks that were split.
  for (const { id, items } of tasks.values())
    if (items) core.book.expand(core.book.task(id), items);
  return [endAgain(core)];
}
