/**
 * What a function agent sees of its attempt. Plain JavaScript, because the same file serves inside a
 * thread or process of its own, which runs from the sources as well as from the build.
 *
 * Invariants:
 * 1. After `end`, nothing reaches the port any more. After `refuse` no step is begun, but one that is under
 *    way is still recorded: what it did is done.
 * 2. A step succeeds at most once per attempt, and does not run when an earlier attempt has recorded it.
 * 3. Reads see the attempt's own writes over the view; the view itself never changes.
 *
 * @import { AttemptPort, AttemptRequest, CallAnswer, CallEnd, CallOptions, MemoryReader, OutboundCall, Progress, Provider, ProviderCall, TaskContext, TaskMemory, Tool } from './behaviour.ts'
 * @import { MemoryChange } from '../../journal/record.ts'
 * @import { Plain } from '../../core/plain.ts'
 */
import { failureOf, maxCallTries, rateHeaders } from './call-failure.mjs';

/**
 * What differs between the two sides: how a value is made plain, and where random numbers come from.
 * @typedef {object} ContextTools
 * @property {(value: unknown, place: string) => Plain} plain a copy that later changes do not reach; throws when it is none
 * @property {(seed: number) => () => number} random a seeded source of numbers in [0, 1)
 */

/**
 * Whether a key matches a pattern: `*` is one token, `>` or a trailing `.*` is one or more. As in
 * core/key-pattern.ts; a test keeps the two equal.
 * @param {string} pattern
 * @param {string} key
 * @returns {boolean}
 */
export function matchesPattern(pattern, key) {
  const wanted = pattern.split('.');
  const tokens = key.split('.');
  const last = wanted.length - 1;
  const open = wanted[last] === '>' || (wanted[last] === '*' && last > 0);
  if (open ? tokens.length < wanted.length : tokens.length !== wanted.length) return false;
  return wanted.every(
    (token, index) => token === '*' || token === tokens[index] || (open && index === last),
  );
}

/**
 * What of a report can be passed on: a function may say anything.
 * @param {Progress} progress
 * @param {ContextTools['plain']} plain
 * @returns {Progress}
 */
function wellFormed({ fraction, message, partial }, plain) {
  return {
    ...(partial !== undefined && { partial: plain(partial, 'partial output') }),
    ...(typeof fraction === 'number' &&
      !Number.isNaN(fraction) && { fraction: Math.min(1, Math.max(0, fraction)) }),
    ...(typeof message === 'string' && { message }),
  };
}

const afterEnd = 'The attempt has ended; no step or call can be begun any more.';

/** @implements {TaskMemory} */
class OverlaidMemory {
  /** @type {Map<string, MemoryChange>} */
  #changes = new Map();
  /** @type {MemoryReader} */
  #view;
  /** @type {string} */
  #agent;
  /** @type {ContextTools} */
  #tools;

  /**
   * @param {AttemptRequest} request
   * @param {ContextTools} tools
   */
  constructor(request, tools) {
    this.#view = request.memory;
    this.#agent = request.standsInFor ?? request.agent.id;
    this.#tools = tools;
  }

  get revision() {
    return this.#view.revision;
  }

  /** @param {string} key */
  get(key) {
    const full = this.#qualified(key);
    const change = this.#changes.get(full);
    if (change) return 'deleted' in change ? undefined : change.value;
    const value = this.#view.get(full);
    return value === undefined && full !== key ? this.#view.get(key) : value;
  }

  /** @param {string} [pattern] */
  keys(pattern) {
    if (this.#changes.size === 0) return this.#view.keys(pattern);
    const keys = new Set(this.#view.keys(pattern));
    for (const [key, change] of this.#changes) {
      if ('deleted' in change) keys.delete(key);
      else if (pattern === undefined || matchesPattern(pattern, key)) keys.add(key);
    }
    return [...keys].sort();
  }

  /**
   * @param {string} key
   * @param {Plain} value
   */
  set(key, value) {
    const full = this.#qualified(key);
    this.#changes.set(full, { key, value: this.#tools.plain(value, `memory key ${key}`) });
  }

  /** @param {string} key */
  delete(key) {
    this.#changes.set(this.#qualified(key), { key, deleted: true });
  }

  /** The last write to each key, keys as the function wrote them. */
  changes() {
    return [...this.#changes.values()];
  }

  /**
   * A key without a dot belongs to the agent itself, as in `owns` and `writes`.
   * @param {string} key
   */
  #qualified(key) {
    if (typeof key !== 'string' || key === '')
      throw new TypeError('A memory key is a text that is not empty.');
    return key.includes('.') ? key : `${this.#agent}.${key}`;
  }
}

/** The context of one attempt. What costs something is made when it is first looked at. @implements {TaskContext} */
export class AttemptContext {
  /** @type {AttemptRequest} */
  #request;
  /** @type {AttemptPort} */
  #port;
  /** @type {ContextTools} */
  #tools;
  /** @type {OverlaidMemory | undefined} */
  #memory;
  /** @type {(() => number) | undefined} */
  #random;
  /** @type {Map<string, Promise<Plain>> | undefined} */
  #steps;
  #ended = false;
  /** @type {{ readonly reason: unknown } | undefined} */
  #refusal;

  /**
   * @param {AttemptRequest} request
   * @param {AttemptPort} port
   * @param {ContextTools} tools
   */
  constructor(request, port, tools) {
    this.#request = request;
    this.#port = port;
    this.#tools = tools;
  }

  get run() {
    return this.#request.run;
  }

  get task() {
    return this.#request.task;
  }

  get operation() {
    return this.#request.operation;
  }

  get attempt() {
    return this.#request.attempt;
  }

  get iteration() {
    return this.#request.iteration;
  }

  get instance() {
    return this.#request.instance ?? 1;
  }

  get input() {
    return this.#request.input;
  }

  get feedback() {
    return this.#request.feedback;
  }

  get previous() {
    return this.#request.previous;
  }

  get config() {
    return this.#request.agent.with;
  }

  get signal() {
    return this.#port.signal();
  }

  get workspace() {
    return this.#request.workspace?.path;
  }

  /** @returns {TaskMemory} */
  get memory() {
    return this.#ownMemory();
  }

  // Own functions, not methods: people take them out of the context.

  random = () => {
    this.#random ??= this.#tools.random(this.#request.seed);
    return this.#random();
  };

  /** @param {Progress | string} progress */
  progress = (progress) => {
    if (this.#ended) return;
    this.#port.progress(
      typeof progress === 'string'
        ? { message: progress }
        : wellFormed(progress, this.#tools.plain),
    );
  };

  /** @param {Plain} value */
  partial = (value) => this.progress({ partial: value });

  /**
   * @template {Plain} T
   * @param {string} name
   * @param {() => T | Promise<T>} fn
   * @returns {Promise<T>}
   */
  step = (name, fn) => {
    const steps = (this.#steps ??= new Map());
    const begun = steps.get(name);
    if (begun) return /** @type {Promise<T>} */ (begun);
    const step = this.#firstStep(name, fn);
    steps.set(name, step);
    step.catch(() => steps.delete(name));
    return /** @type {Promise<T>} */ (step);
  };

  /**
   * @param {string} [name]
   * @returns {Provider}
   */
  provider = (name = this.#request.agent.provider) => {
    if (name === undefined) throw new TypeError('Name a provider: the agent has none of its own.');
    const { model } = this.#request.agent;
    return {
      call: (options, fn) =>
        this.#call({ ...(model && { model }), ...options, provider: name }, fn),
    };
  };

  /**
   * @param {string} name
   * @returns {Tool}
   */
  tool = (name) => {
    if (typeof name !== 'string' || name === '') throw new TypeError('Name a tool.');
    return { call: (fn) => this.#toolCall(name, fn) };
  };

  /** The end is wanted: steps that are asked for from now on reject with the reason. @param {unknown} reason */
  refuse(reason) {
    this.#refusal ??= { reason };
  }

  /** The attempt has settled. */
  end() {
    this.#ended = true;
  }

  /** Proposed memory changes. */
  changes() {
    return this.#memory ? this.#memory.changes() : [];
  }

  /** Steps that were begun and not waited for; undefined when there was none. */
  stepsSettled() {
    return this.#steps && Promise.allSettled(this.#steps.values());
  }

  #ownMemory() {
    this.#memory ??= new OverlaidMemory(this.#request, this.#tools);
    return this.#memory;
  }

  /**
   * Makes a call as often as the provider refuses it, within reason.
   * @template T
   * @param {ProviderCall} call
   * @param {(signal: AbortSignal) => CallAnswer<T> | Promise<CallAnswer<T>>} fn
   * @returns {Promise<T>}
   */
  async #call(call, fn) {
    const { calls } = this.#port;
    for (let tries = 1; ; tries++) {
      if (this.#refusal) throw this.#refusal.reason;
      if (this.#ended) throw new Error(afterEnd);
      const ticket = await calls?.admit(call);
      /** @type {CallEnd} */
      let end = { end: 'failed' };
      try {
        const { value, usage, headers } = await fn(this.signal);
        end = { end: 'ok', usage, headers: rateHeaders(headers) };
        return value;
      } catch (thrown) {
        end = failureOf(thrown);
        if (end.end === 'failed' || tries >= maxCallTries || this.signal.aborted) throw thrown;
      } finally {
        if (ticket !== undefined) calls?.ended(ticket, end);
      }
    }
  }

  /**
   * @template T
   * @param {string} tool
   * @param {(signal: AbortSignal) => T | Promise<T>} fn
   * @returns {Promise<T>}
   */
  async #toolCall(tool, fn) {
    if (this.#refusal) throw this.#refusal.reason;
    if (this.#ended) throw new Error(afterEnd);
    const { calls } = this.#port;
    const ticket = await calls?.admit({ tool });
    /** @type {CallEnd} */
    let end = { end: 'failed' };
    try {
      const value = await fn(this.signal);
      end = { end: 'ok' };
      return value;
    } finally {
      if (ticket !== undefined) calls?.ended(ticket, end);
    }
  }

  /**
   * @param {string} name
   * @param {() => unknown} fn
   * @returns {Promise<Plain>}
   */
  async #firstStep(name, fn) {
    const { steps, task } = this.#request;
    const recorded = Object.hasOwn(steps, name) ? steps[name] : undefined;
    if (recorded !== undefined) return recorded;
    if (this.#refusal) throw this.#refusal.reason;
    if (this.#ended) throw new Error(afterEnd);
    const value = this.#tools.plain((await fn()) ?? null, `step ${name} of task ${task}`);
    if (this.#ended) throw new Error(afterEnd);
    await this.#port.stepDone(name, value);
    return value;
  }
}
