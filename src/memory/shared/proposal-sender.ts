import type { Bus } from '../../bus/bus.ts';
import { encodedBound } from '../../bus/payload.ts';
import { TroupeError } from '../../core/errors.ts';
import type { Plain } from '../../core/plain.ts';
import type { Random } from '../../core/random.ts';
import type { Proposal } from '../propose.ts';
import { backoffMs, isPassing, pause } from '../../bus/fenced-append.ts';
import type { Patience } from '../../bus/fenced-append.ts';
import { frameBytes } from './frame.ts';
import {
  maxProposals,
  proposalSubject,
  replyOf,
  requestHeaders,
  requestPayload,
} from './proposal-message.ts';
import type { ProposalAnswer } from './proposal-answer.ts';

/** What {@link ProposalSender} is made from. */
export interface ProposalSenderOptions {
  readonly bus: Bus;
  readonly memory: string;
  readonly patience: Patience;
  readonly random: Random;
  /** Nobody has taken proposals, or nobody has answered for so long that the owner must be gone. */
  readonly ownerless: () => Promise<void>;
}

interface Waiting {
  readonly proposal: Proposal;
  readonly bytes: number;
  /** By the monotonic clock. */
  readonly due: number;
  readonly answer: Promise<ProposalAnswer>;
  settle(answer: ProposalAnswer): void;
  fail(error: unknown): void;
  settled: boolean;
}

/** Tries of one batch that got no answer, in a row; any answer meanwhile, to whatever request, ends the row. */
interface Silence {
  since: number;
  tries: number;
}

/** How long the first request waits for its answer; each further one waits twice as long, up to the limit. */
const firstTryMs = 500;
const longestTryMs = 4_000;

/** Requests without an answer, in a row, after which the owner is taken for gone. */
const silentTries = 3;

/**
 * Gets proposals to the owner of a memory, whoever that is by then: again and again under one operation id,
 * until there is an answer or the time is over. What is proposed in one turn goes in one request.
 *
 * Invariants:
 * 1. A proposal is settled once: by the owner's answer, by the log (see {@link settle}), or by its time limit.
 * 2. An operation waits here at most once; proposing it again waits for the same answer.
 */
export class ProposalSender {
  private readonly options: ProposalSenderOptions;
  private readonly waiting = new Map<string, Waiting>();
  private queue: Waiting[] = [];
  private scheduled = false;
  /** Answers that have come, of whatever request. */
  private heard = 0;
  /** Ends the wait of each request that is under way. */
  private readonly wakers = new Set<() => void>();

  constructor(options: ProposalSenderOptions) {
    this.options = options;
  }

  /** Rejects with TRP_BUS_TIMEOUT when the time is over, and with what no repetition mends. */
  send(proposal: Proposal, timeoutMs: number): Promise<ProposalAnswer> {
    const known = this.waiting.get(proposal.op);
    if (known) return known.answer;
    const entry = this.entry(proposal, timeoutMs);
    this.waiting.set(proposal.op, entry);
    this.queue.push(entry);
    if (!this.scheduled) {
      this.scheduled = true;
      queueMicrotask(() => this.flush());
    }
    return entry.answer;
  }

  /** A new owner has begun: requests to the old one will get no answer, and are made again at once. */
  ownerChanged(): void {
    for (const wake of this.wakers) wake();
  }

  /** The log has told what became of an operation. */
  settle(op: string, answer: ProposalAnswer): void {
    this.waiting.get(op)?.settle(answer);
  }

  /** Rejects everything that waits. */
  end(error: TroupeError): void {
    for (const entry of this.waiting.values()) entry.fail(error);
  }

  private entry(proposal: Proposal, timeoutMs: number): Waiting {
    const { clock } = this.options.patience;
    let resolve: (answer: ProposalAnswer) => void = () => undefined;
    let reject: (error: unknown) => void = () => undefined;
    const answer = new Promise<ProposalAnswer>((onAnswer, onError) => {
      resolve = onAnswer;
      reject = onError;
    });
    const over = (): void => {
      entry.settled = true;
      this.waiting.delete(proposal.op);
    };
    const entry: Waiting = {
      proposal,
      bytes: encodedBound(proposal as unknown as Plain),
      due: clock.monotonic() + timeoutMs,
      answer,
      settled: false,
      settle: (given) => {
        over();
        resolve(given);
      },
      fail: (error) => {
        over();
        reject(error);
      },
    };
    return entry;
  }

  private flush(): void {
    this.scheduled = false;
    while (this.queue.length > 0) void this.deliver(this.takeBatch());
  }

  private takeBatch(): readonly Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const entry of this.queue) {
      bytes += entry.bytes;
      if (count === maxProposals || (count > 0 && bytes > frameBytes)) break;
      count++;
    }
    return this.queue.splice(0, count);
  }

  private async deliver(batch: readonly Waiting[]): Promise<void> {
    const silence: Silence = { since: this.heard, tries: 0 };
    for (let tries = 0; ; tries++) {
      const open = batch.filter((entry) => this.isOpen(entry));
      if (open.length === 0) return;
      await this.attempt(open, firstTryMs * 2 ** Math.min(tries, 3), silence);
      if (open.every(({ settled }) => settled)) return;
      await pause(this.options.patience, backoffMs(tries) * (0.5 + this.options.random()));
    }
  }

  private isOpen(entry: Waiting): boolean {
    if (entry.settled) return false;
    if (entry.due > this.options.patience.clock.monotonic()) return true;
    entry.fail(tooLate(this.options.memory));
    return false;
  }

  private async attempt(open: readonly Waiting[], tryMs: number, silence: Silence): Promise<void> {
    const { bus, memory, patience } = this.options;
    const proposals = open.map(({ proposal }) => proposal);
    const left = Math.max(...open.map(({ due }) => due)) - patience.clock.monotonic();
    const timeoutMs = Math.max(1, Math.min(tryMs, longestTryMs, left));
    try {
      const subject = proposalSubject(bus.ns, memory);
      const headers = requestHeaders(memory, proposals);
      const request = bus.request(subject, requestPayload(proposals), { timeoutMs, headers });
      const payload = await this.unlessWoken(request);
      if (payload === undefined) return;
      this.heard++;
      this.answered(open, payload);
    } catch (error) {
      await this.unanswered(open, error, silence);
    }
  }

  /** Undefined: there is no use in waiting for this answer any more. */
  private unlessWoken(request: Promise<Plain>): Promise<Plain | undefined> {
    return new Promise((resolve, reject) => {
      const wake = (): void => resolve(undefined);
      this.wakers.add(wake);
      request.then(resolve, reject).finally(() => this.wakers.delete(wake));
    });
  }

  private answered(open: readonly Waiting[], payload: Plain): void {
    const reply = replyOf(
      payload,
      open.map(({ proposal }) => proposal),
    );
    if ('answers' in reply)
      for (const [index, answer] of reply.answers.entries()) open[index]?.settle(answer);
    if ('error' in reply) {
      const { code, message, ...rest } = reply.error;
      for (const entry of open) entry.fail(new TroupeError(code, message, rest));
    }
  }

  private async unanswered(
    open: readonly Waiting[],
    error: unknown,
    silence: Silence,
  ): Promise<void> {
    const code = error instanceof TroupeError ? error.code : undefined;
    if (silence.since !== this.heard) Object.assign(silence, { since: this.heard, tries: 0 });
    if (code === 'TRP_BUS_TIMEOUT' && this.options.bus.state === 'connected') silence.tries++;
    if (code === 'TRP_BUS_NO_RESPONDERS' || silence.tries >= silentTries) {
      silence.tries = 0;
      return this.options.ownerless();
    }
    if (isPassing(error)) return;
    for (const entry of open) entry.fail(error);
  }
}

function tooLate(memory: string): TroupeError {
  return new TroupeError('TRP_BUS_TIMEOUT', `The owner of the memory ${memory} has not answered.`, {
    errorClass: 'timeout',
    hint: 'It is not known whether the changeset is in; proposing it again under the same op is safe.',
  });
}
