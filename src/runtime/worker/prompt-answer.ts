import { encodedBound } from '../../bus/payload.ts';
import type { Clock, TimerHandle } from '../../core/clock.ts';
import type { Plain, PlainObject } from '../../core/plain.ts';
import type { HostMessage } from '../../actors/remote/messages.ts';
import { maxInlineBytes } from '../../actors/remote/large-message.ts';
import type { Outlet } from './outlet.ts';

/** Work that ends within this time is answered with its result at once, in milliseconds. */
const promptMs = 20;

/** What a prompt answer needs. */
export interface PromptAnswerOptions {
  readonly clock: Clock;
  readonly respond: (payload: Plain) => void;
  /** Where everything goes that the answer does not carry. */
  readonly otherwise: Outlet;
}

/**
 * The answer to an order to begin, which carries the result of short work: one message there, and one back.
 *
 * Invariant: one answer is given, at the latest after {@link promptMs}: that it has begun, or its end.
 */
export class PromptAnswer {
  private readonly options: PromptAnswerOptions;
  private readonly timer: TimerHandle;
  private isGiven = false;

  constructor(options: PromptAnswerOptions) {
    this.options = options;
    this.timer = options.clock.setTimeout(() => this.begun(), promptMs);
  }

  /** It has begun, and its end is told later. */
  begun(): void {
    this.give(true);
  }

  readonly outlet: Outlet = async (message) => {
    if (this.isGiven || !isShortEnd(message)) return this.options.otherwise(message);
    this.give(message as unknown as PlainObject);
  };

  private give(answer: Plain): void {
    if (this.isGiven) return;
    this.options.respond(answer);
    this.isGiven = true;
    this.options.clock.clearTimeout(this.timer);
  }
}

function isShortEnd(message: HostMessage): boolean {
  const isEnd = message.type === 'result' || message.type === 'failure';
  return isEnd && encodedBound(message as unknown as PlainObject) <= maxInlineBytes;
}
