import type { Bus, BusMessage } from '../../bus/bus.ts';
import { errorInfo, messageOf, TroupeError } from '../../core/errors.ts';
import type { Plain } from '../../core/plain.ts';
import type { Proposal } from '../propose.ts';
import { answerPayload, proposalsOf, proposalSubject } from './proposal-message.ts';
import type { ProposalAnswer } from './proposal-answer.ts';

/** Who decides proposals. */
export interface ProposalDesk {
  propose(proposal: Proposal): Promise<ProposalAnswer>;
}

/** Has proposals to a memory answered, until the function given back is called. */
export function serveProposals(bus: Bus, memory: string, desk: ProposalDesk): () => void {
  const subscription = bus.subscribe(proposalSubject(bus.ns, memory), (message) =>
    answer(message, desk),
  );
  return () => subscription.unsubscribe();
}

async function answer(message: BusMessage, desk: ProposalDesk): Promise<void> {
  let proposals: readonly Proposal[];
  try {
    proposals = proposalsOf(message.payload);
  } catch (error) {
    return message.respond({ error: errorInfo(error) } as unknown as Plain);
  }
  try {
    const answers = await Promise.all(proposals.map((proposal) => desk.propose(proposal)));
    respond(message, proposals, answers);
  } catch (error) {
    message.respond({ again: messageOf(error) });
  }
}

/** An answer that is too large for a message is left to the log, which has all of it. */
function respond(
  message: BusMessage,
  proposals: readonly Proposal[],
  answers: readonly ProposalAnswer[],
): void {
  try {
    message.respond({
      answers: answers.map((one, index) => answerPayload(one, proposals[index] as Proposal)),
    });
  } catch (error) {
    if (!(error instanceof TroupeError) || error.code !== 'TRP_BUS_PAYLOAD') throw error;
    message.respond({
      answers: answers.map((one) =>
        'refused' in one ? (one as unknown as Plain) : { revision: one.revision },
      ),
    });
  }
}
