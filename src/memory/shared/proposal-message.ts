import { envelopeHeaders } from '../../bus/envelope.ts';
import type { Headers } from '../../bus/headers.ts';
import { subjectOf } from '../../bus/subjects.ts';
import type { ErrorInfo } from '../../core/errors.ts';
import type { Plain, PlainObject } from '../../core/plain.ts';
import type { ConflictRecorded, MemoryChange } from '../../journal/record.ts';
import type { Proposal } from '../propose.ts';
import type { ProposalAnswer } from './proposal-answer.ts';
import { checkedProposal, malformed } from './proposal-check.ts';

/** What it says of a request. */
export type Reply =
  | { readonly answers: readonly ProposalAnswer[] }
  /** It owns the memory no longer, or cannot commit now: the request is to be repeated. */
  | { readonly again: string }
  /** The request itself is malformed. */
  | { readonly error: ErrorInfo };

/** Proposals that one request may hold. */
export const maxProposals = 256;

/** Where the owner of a memory takes proposals; a memory is a run's id or `mem-<name>`. */
export function proposalSubject(ns: string, memory: string): string {
  return subjectOf(ns, 'ctl', memory, 'memory');
}

/** The envelope of a request: what it is about, as far as all of its proposals have it in common. */
export function requestHeaders(memory: string, proposals: readonly Proposal[]): Headers {
  const [first] = proposals;
  const alone = proposals.length === 1 && first ? { task: first.task, op: first.op } : {};
  return envelopeHeaders({ run: memory, ...alone });
}

/** A request as it goes over the bus. */
export function requestPayload(proposals: readonly Proposal[]): Plain {
  return { verb: 'memory.propose', proposals } as unknown as Plain;
}

/**
 * The proposals of a request. Senders are not trusted to be well-formed.
 * @throws TroupeError TRP_CONTROL_REQUEST
 */
export function proposalsOf(payload: Plain): readonly Proposal[] {
  const request = payload as { verb?: Plain; proposals?: Plain } | null;
  const { proposals } = request ?? {};
  if (request?.verb !== 'memory.propose' || !Array.isArray(proposals)) throw malformed('');
  if (proposals.length > maxProposals) throw malformed(`more than ${maxProposals} proposals`);
  return (proposals as readonly Plain[]).map((proposal) => checkedProposal(proposal));
}

/** An answer without what proposers can tell themselves: changes stand in it only where merging changed them. */
export function answerPayload(answer: ProposalAnswer, proposal: Proposal): Plain {
  if ('refused' in answer) return answer as unknown as Plain;
  const { revision, changes, conflicts } = answer;
  const proposed = new Set(proposal.changes);
  const merged = changes.filter((change) => !proposed.has(change));
  return {
    revision,
    ...(merged.length > 0 ? { merged } : {}),
    ...(conflicts.length > 0 ? { conflicts } : {}),
  } as unknown as Plain;
}

/** A reply taken apart, for the proposals that it answers. */
export function replyOf(payload: Plain, proposals: readonly Proposal[]): Reply {
  const reply = payload as PlainObject | null;
  const { answers } = (reply ?? {}) as { answers?: unknown };
  if (Array.isArray(answers) && answers.length === proposals.length)
    return {
      answers: proposals.map((proposal, index) => answerOf(answers[index] as Plain, proposal)),
    };
  if (reply && ('again' in reply || 'error' in reply)) return reply as unknown as Reply;
  return { again: 'an answer of unknown form' };
}

function answerOf(payload: Plain, { changes }: Proposal): ProposalAnswer {
  const answer = payload as unknown as {
    refused?: ErrorInfo;
    revision: number;
    merged?: readonly MemoryChange[];
    conflicts?: readonly ConflictRecorded[];
  };
  if (answer.refused) return { refused: answer.refused };
  const { revision, merged = [], conflicts = [] } = answer;
  const byKey = new Map([...changes, ...merged].map((change) => [change.key, change]));
  return { revision, changes: [...byKey.values()], conflicts };
}
