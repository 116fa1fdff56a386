import type { Proposal } from '../propose.ts';
import type { ProposalAnswer } from './proposal-answer.ts';
import type { ProposalDesk } from './serve.ts';

/**
 * Where proposals wait until there is somebody to decide them, and are turned away when there will be nobody.
 *
 * Invariant: whoever has come in is let through or turned away, and nobody waits after {@link close}.
 */
export class Door implements ProposalDesk {
  private readonly stopListening: () => void;
  private readonly desk: Promise<ProposalDesk>;
  private settle: {
    readonly open: (desk: ProposalDesk) => void;
    readonly fail: (error: unknown) => void;
  };

  /** @param listen has proposals brought to the desk given, until the function given back is called. */
  constructor(listen: (desk: ProposalDesk) => () => void) {
    this.settle = { open: () => undefined, fail: () => undefined };
    this.desk = new Promise((open, fail) => {
      this.settle = { open, fail };
    });
    // Nobody may be waiting when it closes.
    this.desk.catch(() => undefined);
    this.stopListening = listen(this);
  }

  async propose(proposal: Proposal): Promise<ProposalAnswer> {
    return (await this.desk).propose(proposal);
  }

  /** Lets all through to the desk, now and from now on. */
  open(desk: ProposalDesk): void {
    this.settle.open(desk);
  }

  /** Nobody new comes in; those who are in go on. */
  shut(): void {
    this.stopListening();
  }

  /** Turns away who waits. */
  close(error: unknown): void {
    this.stopListening();
    this.settle.fail(error);
  }
}
