import type { Reason } from '../../core/outcome.ts';
import type { RunCore } from './core.ts';
import { endTask, skipTask } from './task-end.ts';
import { accept } from './validation.ts';

/** How members end that nobody waits for any more. */

/** What becomes of a member that had begun. */
export interface MemberEnd {
  readonly outcome: 'cancelled' | 'timed_out';
  readonly reason: Extract<
    Reason,
    'barrier_released' | 'barrier_failed' | 'quorum_reached' | 'run_ending'
  >;
}

/** The members of a group that have not ended. */
export function unfinished({ ledger, book }: RunCore, groupId: string): string[] {
  return book.group(groupId).members.filter((id) => ledger.state.tasks.get(id)?.phase !== 'ended');
}

/** Ends a member that nobody waits for any more. Finished work is kept, also if its checkers are not through. */
export function closeMember(core: RunCore, id: string, end: MemberEnd): void {
  const row = core.ledger.state.tasks.get(id);
  if (row?.phase === 'completed') return accept(core, id);
  core.services.governor.send({ type: 'permit.withdraw', scope: core.run, id });
  if (!row?.attempt && !row?.items) return skipTask(core, id, 'barrier_released');
  closeExpansion(core, id);
  core.live.get(id)?.worker?.send({ type: 'attempt.abort', reason: 'barrier_released' });
  endTask(core, id, end);
}

/** The task that was split has ended, or is about to: nobody waits for its members any more. */
export function closeExpansion(core: RunCore, id: string): void {
  if (!core.book.isExpanded(id)) return;
  for (const member of unfinished(core, id)) {
    core.services.governor.send({ type: 'permit.withdraw', scope: core.run, id: member });
    if (!core.ledger.state.tasks.get(member)?.attempt) {
      skipTask(core, member, 'barrier_released');
      continue;
    }
    core.live.get(member)?.worker?.send({ type: 'attempt.abort', reason: 'barrier_released' });
    endTask(core, member, { outcome: 'timed_out', reason: 'barrier_released' });
  }
}
