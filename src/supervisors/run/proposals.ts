import { TroupeError } from '../../core/errors.ts';
import type { JournalRecord } from '../../journal/record.ts';
import type { Proposal } from '../../memory/propose.ts';
import type { CommitLog } from '../../memory/shared/commit-log.ts';
import { committedIn } from '../../memory/shared/committed.ts';
import type { MemoryRecord } from '../../memory/shared/frame.ts';
import { MemoryService } from '../../memory/shared/memory-service.ts';
import { refusal } from '../../memory/shared/proposal-answer.ts';
import type { Decided, ProposalAnswer } from '../../memory/shared/proposal-answer.ts';
import type { MemoryRules } from '../../memory/propose.ts';
import type { RunCore } from './core.ts';
import type { Ledger } from './ledger.ts';

/** Writes to a run's memory that come from outside of it, over the bus: the run decides them like those of its tasks. */

/** Decides proposals on a run's own ledger. What `past` holds was committed before this process took over. */
export function ledgerService(
  ledger: Ledger,
  rules: MemoryRules,
  past: readonly JournalRecord[],
): MemoryService {
  const answers = new Map<string, Decided>();
  for (const { record, conflicts } of committedIn(past as readonly MemoryRecord[]))
    answers.set(record.op, { revision: record.seq, changes: record.changes, conflicts });
  return new MemoryService(commitLogOf(ledger), rules, answers);
}

/** Somebody proposes a changeset. `answer` is called when the decision is durable. */
export function memoryProposed(
  core: RunCore,
  { proposal, answer }: { proposal: Proposal; answer: (given: ProposalAnswer) => void },
): void {
  if (core.halted || core.ledger.state.status !== 'running')
    return answer(refusal(new TroupeError('TRP_RUN_ENDED', `Run ${core.run} is ending.`)));
  // It rejects only when the journal is lost, and then the run has no answers any more.
  core
    .proposals()
    .propose(proposal)
    .then(answer, () => undefined);
}

function commitLogOf(ledger: Ledger): CommitLog {
  return {
    memory: ledger.memory,
    commit: (bodies) => {
      const seq = ledger.state.seq + 1;
      return { seq, durable: new Promise((resolve) => ledger.commit(bodies, resolve)) };
    },
  };
}
