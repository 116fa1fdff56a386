import { TroupeError } from '../../core/errors.ts';
import type { MemoryChange, MemoryCommitted } from '../../journal/record.ts';
import { decideCommit } from '../propose.ts';
import type { MemoryRules, Proposal } from '../propose.ts';
import type { CommitLog } from './commit-log.ts';
import { refusal } from './proposal-answer.ts';
import type { Decided, ProposalAnswer } from './proposal-answer.ts';

/** Refusals that are remembered, so that a repeated proposal meets the first answer. */
const keptRefusals = 1_024;

/**
 * Decides the proposals to one memory, one after the other, and answers each when its decision is durable.
 * It has no lifecycle: it works as long as its log does.
 *
 * Invariants:
 * 1. A decision sees all earlier ones, durable or not; nobody outside is told of one that is not durable.
 * 2. An operation is committed at most once; asking again, at any time, gives the first answer.
 */
export class MemoryService {
  private readonly log: CommitLog;
  private readonly rules: MemoryRules;
  private readonly answers: Map<string, Decided | Promise<ProposalAnswer>>;
  private readonly refusals = new Map<string, ProposalAnswer>();
  private lastCommit: Promise<unknown> = Promise.resolve();

  /** @param answers what is known of operations that were committed before, by operation id; it grows. */
  constructor(log: CommitLog, rules: MemoryRules, answers: Map<string, Decided> = new Map()) {
    this.log = log;
    this.rules = rules;
    this.answers = answers;
  }

  /** Rejects when the log takes nothing any more. */
  async propose(proposal: Proposal): Promise<ProposalAnswer> {
    const { op } = proposal;
    const known = this.answers.get(op) ?? this.refusals.get(op);
    if (known) return known;
    if (proposal.base > this.log.memory.revision)
      return this.refuse(op, refusal(noSuchBase(proposal)));
    const decision = decideCommit(this.log.memory, proposal, this.rules);
    if ('refused' in decision) return this.refuse(op, refusal(decision.refused));
    const [committed] = decision.records;
    if (committed?.type === 'memory.committed') return this.commit(committed, decision.records);
    return this.whenDurable(this.nothing());
  }

  private commit(
    { op, changes }: MemoryCommitted,
    records: Parameters<CommitLog['commit']>[0],
  ): Promise<ProposalAnswer> {
    let commit;
    try {
      commit = this.log.commit(records);
    } catch (error) {
      return this.refuse(op, refusal(error));
    }
    const conflicts = records.filter((record) => record.type === 'conflict.recorded');
    const answer: Decided = { revision: commit.seq, changes, conflicts };
    const pending = commit.durable.then(() => {
      this.answers.set(op, answer);
      return answer;
    });
    this.answers.set(op, pending);
    this.lastCommit = pending;
    return pending;
  }

  /** An answer that rests on what is not durable yet waits for it. Commits become durable in order. */
  private async whenDurable(answer: ProposalAnswer): Promise<ProposalAnswer> {
    await this.lastCommit;
    return answer;
  }

  /** Nothing to change, or an operation of which only the memory knows: an earlier part of the run's journal. */
  private nothing(): Decided {
    const changes: readonly MemoryChange[] = [];
    return { revision: this.log.memory.revision, changes, conflicts: [] };
  }

  private refuse(op: string, answer: ProposalAnswer): Promise<ProposalAnswer> {
    this.refusals.set(op, answer);
    const [oldest] = this.refusals.keys();
    if (this.refusals.size > keptRefusals && oldest !== undefined) this.refusals.delete(oldest);
    return this.whenDurable(answer);
  }
}

/** Taken at its word it would have seen whatever there is, and replace it. */
function noSuchBase({ base, op }: Proposal): TroupeError {
  const message = `The changeset ${op} was made from revision ${base}, which the memory has not come to.`;
  return new TroupeError('TRP_CONTROL_REQUEST', message, {
    hint: 'Give the revision of the view that it was made from, or leave base out.',
  });
}
