import type { Plain } from '../../../core/plain.ts';
import type { MemoryChange } from '../../../journal/record.ts';
import type { AttemptRequest, CallEnd, Progress, OutboundCall } from '../behaviour.ts';
import type { MemoryCopy } from '../memory-copy.ts';

/**
 * What travels between this process and an isolated thread or process, by structured clone. One attempt
 * at a time; `id` tells its messages from what an earlier attempt of the same thread left running.
 */
export interface Envelope<Body> {
  readonly id: number;
  readonly body: Body;
}

/** To the isolated side. */
export type Order =
  | { readonly type: 'run'; readonly request: IsolatedRequest }
  | { readonly type: 'step-done'; readonly step: number }
  | { readonly type: 'step-failed'; readonly step: number; readonly error: ErrorFields }
  | { readonly type: 'call-admitted'; readonly call: number; readonly ticket: number }
  | { readonly type: 'call-refused'; readonly call: number; readonly error: ErrorFields }
  | { readonly type: 'abort'; readonly reason: ErrorFields };

/** From the isolated side. `result` and `error` end the attempt. */
export type Report =
  | { readonly type: 'progress'; readonly progress: Progress }
  | { readonly type: 'step'; readonly step: number; readonly name: string; readonly value: Plain }
  | { readonly type: 'call'; readonly call: number; readonly wish: OutboundCall }
  | { readonly type: 'call-ended'; readonly ticket: number; readonly end: CallEnd }
  | { readonly type: 'result'; readonly output: Plain; readonly changes: readonly MemoryChange[] }
  /** `broken`: the error was caught by nobody, so that the side is in an unknown state. */
  | { readonly type: 'error'; readonly error: ErrorFields; readonly broken: boolean };

/** An attempt's request with the memory as a copy. */
export interface IsolatedRequest extends Omit<AttemptRequest, 'memory'> {
  readonly memory: MemoryCopy;
}

/** What is kept of an error: whatever was readable on it. */
export interface ErrorFields {
  readonly message: string;
  readonly code?: unknown;
  readonly errorClass?: unknown;
  readonly place?: unknown;
  readonly hint?: unknown;
  /** What it says about waiting, as in {@link CallEnd}. */
  readonly retryAfterMs?: unknown;
  readonly retryAfter?: unknown;
  readonly headers?: unknown;
  readonly status?: unknown;
}
