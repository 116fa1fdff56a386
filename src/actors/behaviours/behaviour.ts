import type { ErrorInfo } from '../../core/errors.ts';
import type { Plain, PlainObject } from '../../core/plain.ts';
import type { MemoryChange } from '../../journal/record.ts';
import type { MemoryReader } from '../../memory/view.ts';
import type { AgentSpec, Workflow, WorkspaceSpec } from '../../workflow/model.ts';

export type { MemoryReader } from '../../memory/view.ts';

/** What one attempt is about. Plain data but for the memory reader, so that it can cross to a thread or a host. */
export interface AttemptRequest {
  readonly run: string;
  readonly task: string;
  /** Idempotency key: the same for every attempt at this work; see operationId. */
  readonly operation: string;
  readonly attempt: number;
  readonly iteration: number;
  readonly agent: AgentSpec;
  /** Who it was given to instead of the task's own agent with its own model. */
  readonly assigned?: { readonly agent?: string; readonly model?: string };
  /** The task's own agent, where another one does its work: memory keys without a dot are that one's. */
  readonly standsInFor?: string;
  /** What the last attempt of this round has left; absent: there was none. */
  readonly previous?: PreviousAttempt;
  /** Which of the agent's instances does it, from 1; absent: there is only one. */
  readonly instance?: number;
  readonly input: Plain;
  /** What a validation said when it sent the task back; null on the first iteration. */
  readonly feedback: Plain;
  /** Steps that earlier attempts of this iteration have done, by name. */
  readonly steps: { readonly [name: string]: Plain };
  /** Consistent view of the run's memory at dispatch. */
  readonly memory: MemoryReader;
  /** Key patterns that the task reads, fully qualified: what a large memory is cut down to where it must be copied. */
  readonly reads?: readonly string[];
  /** Seed for this attempt's random choices. */
  readonly seed: number;
  /** Folder that relative paths of the workflow start from. */
  readonly baseDir: string;
  /** A folder that only this attempt sees; there when the behaviour is called. */
  readonly workspace?: { readonly path: string } & WorkspaceSpec;
  /** The first of the attempts at this work whose end nobody knows, because their owner died: they may go on elsewhere. */
  readonly unsettled?: number;
  /** The task's planning estimate, for `simulate`. */
  readonly estimateMs: number;
}

/** An attempt that has failed, as the next one sees it. */
export interface PreviousAttempt {
  readonly agent: string;
  readonly model: string | null;
  readonly error: ErrorInfo;
  /** What it had reported as done; null: nothing. */
  readonly partial: Plain;
}

/** What a running attempt may ask of the runtime. */
export interface AttemptPort {
  /** Made on first use: most attempts never look at it. Its reason is a TroupeError. */
  signal(): AbortSignal;
  /**
   * Has the behaviour itself told of the abort, before those who listen to the signal, at once if it has
   * been. Spares an attempt that only waits its signal, which is about a kilobyte. One listener; undefined
   * takes it back. A port without it is watched by its signal.
   */
  onAbort?(listener: ((reason: unknown) => void) | undefined): void;
  /** Tells how far the attempt is; lossy, at most a few per second are passed on. */
  progress(progress: Progress): void;
  /** Resolves when the step is in the journal. */
  stepDone(name: string, value: Plain): Promise<void>;
  /** The way to providers; a port without it lets every call out. */
  readonly calls?: CallPort | undefined;
  /** There where another host may carry the attempt out. */
  readonly remote?: RemoteTerms | undefined;
}

/** What only matters to an attempt that another host carries out. */
export interface RemoteTerms {
  /** Fencing epoch of the run's owner. */
  readonly epoch: number;
  /** 1..10, higher first. */
  readonly priority: number;
  /** Those of the run's document. */
  readonly providers: Workflow['providers'];
  /** Variables of the environment that the document declares secret: hosts say their values to nobody. */
  readonly secrets?: readonly string[] | undefined;
  /** Whether something that would go over the bus says a secret. */
  saysSecret?(message: Plain): boolean;
  /** The process lets go of the run, which may go on in another: hosts keep at their work. */
  readonly isLeaving: boolean;
  /** The attempt waits for a host, or does so no longer: its timeout stands still meanwhile. */
  waits(isWaiting: boolean): void;
  /** A result of this attempt came after it was over. */
  late(): void;
}

/** Where outbound calls of an attempt are let out and counted. */
export interface CallPort {
  /**
   * Resolves with a ticket when the call may go out; rejects when the attempt is aborted, the provider is not
   * known, or a budget is spent. Whoever has a ticket tells of the end.
   */
  admit(call: OutboundCall): Promise<number>;
  /** The call with this ticket is over. */
  ended(ticket: number, end: CallEnd): void;
  /** A call that goes on was refused for a while: all others are to wait. */
  refused(call: ProviderCall, retryAfterMs: number | undefined): void;
  /** Something was spent outside of a call that was admitted. */
  spent(usage: Usage): void;
}

/** A call that limits or breakers may be in the way of. */
export type OutboundCall = ProviderCall | ToolCall;

/** A call of a tool that has a breaker under `breakers.tools`. */
export interface ToolCall {
  readonly tool: string;
}

/** One outbound call, before it is made. */
export interface ProviderCall {
  /** As the document or the process names it. */
  readonly provider: string;
  /** Whose limits count, where a provider counts per key; default: the provider's. */
  readonly key?: string | undefined;
  readonly model?: string | undefined;
  /** Estimate of input and output together. Default 0. */
  readonly tokens?: number | undefined;
}

/** What was used; cost is in whatever unit the budget is. */
export interface Usage {
  readonly input_tokens?: number;
  readonly output_tokens?: number;
  readonly cost?: number;
}

/** How a call ended, as plain data; `limited` and `overloaded` are refusals, after which it is made again. */
export interface CallEnd {
  readonly end: 'ok' | 'limited' | 'overloaded' | 'failed';
  /** It was answered, and the answer was that the call itself is wrong (a status of 4xx). */
  readonly rejected?: boolean | undefined;
  readonly usage?: Usage | undefined;
  readonly retryAfterMs?: string | number | undefined;
  /** Seconds, or an HTTP date. */
  readonly retryAfter?: string | number | undefined;
  /** Those that tell of limits, names in lower case. */
  readonly headers?: { readonly [name: string]: string } | undefined;
}

/** How far an attempt is; either part may be missing. */
export interface Progress {
  /** 0..1 */
  readonly fraction?: number;
  readonly message?: string;
  /** What is done so far: whoever tries after a failure gets it. Up to 64 KiB as JSON. */
  readonly partial?: Plain;
}

/** What a successful attempt leaves. */
export interface AttemptResult {
  readonly output: Plain;
  /** Proposed memory changes, keys as the behaviour wrote them (qualified by the runtime). */
  readonly changes: readonly MemoryChange[];
}

/** How an attempt ended. `aborted` means that the runtime had asked for its end. */
export type AttemptSettlement =
  | { readonly status: 'succeeded'; readonly result: AttemptResult }
  | { readonly status: 'failed'; readonly error: ErrorInfo };

/**
 * How an agent works. `execute` rejects with anything; it must settle within the agent's kill time
 * after the port's signal aborts, leaving no thread, process or timer behind.
 */
export interface Behaviour {
  execute(request: AttemptRequest, port: AttemptPort): Promise<AttemptResult>;
  /** Frees what is kept between attempts (threads, modules). */
  close?(): Promise<void>;
}

/** What a function agent is called with. */
export interface TaskContext {
  readonly run: string;
  readonly task: string;
  readonly operation: string;
  readonly attempt: number;
  readonly iteration: number;
  /** Which of the agent's `instances` this is, from 1. */
  readonly instance: number;
  readonly input: Plain;
  readonly feedback: Plain;
  /** The attempt before this one, which has failed; undefined: this is the first. */
  readonly previous?: PreviousAttempt | undefined;
  /** The agent's own `with:` block. */
  readonly config: PlainObject;
  /** Aborts on cancel and timeout. */
  readonly signal: AbortSignal;
  readonly memory: TaskMemory;
  /** A folder of this attempt's own, if the document gives it one. */
  readonly workspace?: string | undefined;
  /** A random number in [0, 1) that is the same when the attempt is repeated under the same seed. */
  random(): number;
  progress(progress: Progress | string): void;
  /** Keeps what is done so far for whoever tries after a failure, up to 64 KiB as JSON. */
  partial(value: Plain): void;
  /** A provider of the document or the process; default: the agent's own. */
  provider(name?: string): Provider;
  /** A tool that the document has a breaker for; one without is called at once. */
  tool(name: string): Tool;
  /** Does a side effect once: its value is journaled, and a later attempt gets it without running `fn`. */
  step<T extends Plain>(name: string, fn: () => T | Promise<T>): Promise<T>;
}

/** A provider as a function agent sees it. */
export interface Provider {
  /**
   * Makes one call when the provider's limits allow it. `fn` is called again after a pause when it throws an
   * error that tells of a refusal (`status` 429, 503 or 529, or a `retryAfter`); every other error is passed on.
   * Do not make a call within a call: the outer one keeps its place.
   */
  call<T>(
    options: CallOptions,
    fn: (signal: AbortSignal) => CallAnswer<T> | Promise<CallAnswer<T>>,
  ): Promise<T>;
}

/** A tool as a function agent sees it. */
export interface Tool {
  /** Calls `fn` when the tool's breaker lets it through, and counts how it ended: what it throws is a failure. */
  call<T>(fn: (signal: AbortSignal) => T | Promise<T>): Promise<T>;
}

/** What is known of a call beforehand. */
export interface CallOptions extends Omit<ProviderCall, 'provider'> {}

/** What a call brought. */
export interface CallAnswer<T> {
  readonly value: T;
  readonly usage?: Usage | undefined;
  /** Of the answer; limits that the provider names there are followed. */
  readonly headers?: object | undefined;
}

/** The view, plus writes that are proposed as one changeset when the attempt succeeds. */
export interface TaskMemory extends MemoryReader {
  set(key: string, value: Plain): void;
  delete(key: string): void;
}

/** A function agent. What it returns is the task's output; `undefined` becomes null. */
export type TaskFunction = (context: TaskContext) => unknown;
