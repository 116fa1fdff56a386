/**
 * The isolated side: runs one function at a time for the process that started this thread or process.
 * Plain JavaScript, because a thread can load nothing else everywhere.
 *
 * @import { MessagePort } from 'node:worker_threads'
 * @import { AttemptPort, AttemptRequest, CallEnd, MemoryReader, OutboundCall, TaskContext } from '../behaviour.ts'
 * @import { Envelope, ErrorFields, IsolatedRequest, Order, Report } from './protocol.ts'
 * @import { MemoryCopy } from '../memory-copy.ts'
 * @import { Plain } from '../../../core/plain.ts'
 */
import { parentPort } from 'node:worker_threads';
import { failureOf } from '../call-failure.mjs';
import { AttemptContext, matchesPattern } from '../context.mjs';
import { loadFunction } from '../module.mjs';

/** An error that came from, or goes to, the other side. */
class RemoteError extends Error {
  /** @param {ErrorFields} fields */
  constructor(fields) {
    super(fields.message);
    Object.assign(this, fields);
  }
}

/**
 * mulberry32, as in core/random.ts; a test keeps the two equal.
 * @param {number} seed
 */
function seededRandom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/**
 * A copy that can cross; the other side checks that it is plain data.
 * @param {unknown} value
 * @param {string} place
 * @returns {Plain}
 */
function crossing(value, place) {
  try {
    return structuredClone(/** @type {Plain} */ (value));
  } catch (cause) {
    throw new RemoteError({
      message: `${place}: ${textOf(cause)}`,
      code: 'TRP_PLAIN_DATA',
      errorClass: 'permanent',
    });
  }
}

/** @implements {MemoryReader} */
class CopiedMemory {
  /** @param {MemoryCopy} copy */
  constructor({ revision, entries, cutTo }) {
    this.revision = revision;
    this.entries = new Map(entries);
    this.cutTo = cutTo;
  }

  /** @param {string} key */
  get(key) {
    const value = this.entries.get(key);
    const outside =
      value === undefined &&
      this.cutTo &&
      !this.cutTo.some((pattern) => matchesPattern(pattern, key));
    if (outside) throw new Error(`Memory key ${key} is not among the task's reads; add it there.`);
    return value;
  }

  /** @param {string} [pattern] */
  keys(pattern) {
    const keys = [...this.entries.keys()];
    return pattern === undefined ? keys : keys.filter((key) => matchesPattern(pattern, key));
  }
}

/** One attempt on this side. @implements {AttemptPort} */
class IsolatedAttempt {
  /** @type {AbortController | undefined} */
  #controller;
  /** @type {RemoteError | undefined} */
  #abortReason;
  /** @type {Map<number, { resolve: () => void, reject: (reason: unknown) => void }>} */
  #steps = new Map();
  #stepCount = 0;
  /** @type {Map<number, { resolve: (ticket: number) => void, reject: (reason: unknown) => void }>} */
  #calls = new Map();
  #callCount = 0;

  calls = {
    /** @param {OutboundCall} wish @returns {Promise<number>} */
    admit: (wish) =>
      new Promise((resolve, reject) => {
        const call = ++this.#callCount;
        this.#calls.set(call, { resolve, reject });
        this.send({ type: 'call', call, wish });
      }),
    /** @param {number} ticket @param {CallEnd} end */
    ended: (ticket, end) => this.send({ type: 'call-ended', ticket, end }),
    refused: () => undefined,
    spent: () => undefined,
  };

  /**
   * @param {number} id
   * @param {IsolatedRequest} request
   */
  constructor(id, request) {
    this.id = id;
    /** @type {AttemptRequest} */
    this.request = { ...request, memory: new CopiedMemory(request.memory) };
    this.context = new AttemptContext(this.request, this, {
      plain: crossing,
      random: seededRandom,
    });
  }

  signal() {
    this.#controller ??= new AbortController();
    if (this.#abortReason) this.#controller.abort(this.#abortReason);
    return this.#controller.signal;
  }

  /** @param {import('../behaviour.ts').Progress} progress */
  progress(progress) {
    this.send({ type: 'progress', progress });
  }

  /**
   * @param {string} name
   * @param {Plain} value
   * @returns {Promise<void>}
   */
  stepDone(name, value) {
    const step = ++this.#stepCount;
    return new Promise((resolve, reject) => {
      this.#steps.set(step, { resolve, reject });
      this.send({ type: 'step', step, name, value });
    });
  }

  async run() {
    const { request, context } = this;
    try {
      const fn = await loadFunction({
        module: request.agent.module,
        export: request.agent.export,
        baseDir: request.baseDir,
      });
      const output = crossing((await fn(context)) ?? null, `output of task ${request.task}`);
      await context.stepsSettled();
      this.send({ type: 'result', output, changes: context.changes() });
    } catch (thrown) {
      this.fail(thrown, false);
    } finally {
      context.end();
    }
  }

  /**
   * @param {unknown} thrown
   * @param {boolean} broken
   */
  fail(thrown, broken) {
    this.send({ type: 'error', error: fieldsOf(thrown), broken });
  }

  /** @param {Order} order */
  take(order) {
    if (order.type === 'abort') this.#abort(new RemoteError(order.reason));
    if (order.type === 'step-done') this.#takeStep(order.step)?.resolve();
    if (order.type === 'step-failed')
      this.#takeStep(order.step)?.reject(new RemoteError(order.error));
    if (order.type === 'call-admitted') this.#takeCall(order.call)?.resolve(order.ticket);
    if (order.type === 'call-refused')
      this.#takeCall(order.call)?.reject(new RemoteError(order.error));
  }

  /** @param {Report} report */
  send(report) {
    send({ id: this.id, body: report });
  }

  /** @param {RemoteError} reason */
  #abort(reason) {
    this.#abortReason = reason;
    this.#controller?.abort(reason);
    this.context.refuse(reason);
  }

  /** @param {number} call */
  #takeCall(call) {
    const waiting = this.#calls.get(call);
    this.#calls.delete(call);
    return waiting;
  }

  /** @param {number} step */
  #takeStep(step) {
    const waiting = this.#steps.get(step);
    this.#steps.delete(step);
    return waiting;
  }
}

/**
 * @param {unknown} thrown
 * @returns {ErrorFields}
 */
function fieldsOf(thrown) {
  /** @type {Record<string, string>} */
  const fields = {};
  for (const name of ['code', 'errorClass', 'place', 'hint']) {
    const value = read(thrown, name);
    if (typeof value === 'string') fields[name] = value;
  }
  const { end: _end, ...wait } = failureOf(thrown);
  const status = read(thrown, 'status');
  if (typeof status === 'number') Object.assign(wait, { status });
  return { ...fields, ...wait, message: textOf(thrown) };
}

/**
 * @param {unknown} value
 * @param {string} name
 * @returns {unknown}
 */
function read(value, name) {
  try {
    return /** @type {Record<string, unknown>} */ (value)[name];
  } catch {
    return undefined;
  }
}

/** @param {unknown} thrown */
function textOf(thrown) {
  const message = read(thrown, 'message');
  if (typeof message === 'string' && message !== '') return message;
  try {
    return String(thrown);
  } catch {
    return 'Something was thrown that cannot be shown.';
  }
}

/** @param {Envelope<Report>} envelope */
function send(envelope) {
  if (parentPort) parentPort.postMessage(envelope);
  else if (process.connected) process.send?.(envelope);
}

/** @type {IsolatedAttempt | undefined} */
let current;

/** @param {Envelope<Order>} envelope */
function receive({ id, body }) {
  if (body.type === 'run') {
    current = new IsolatedAttempt(id, body.request);
    void current.run().finally(() => (current = undefined));
  } else if (current?.id === id) {
    current.take(body);
  }
}

if (parentPort) parentPort.on('message', receive);
else process.on('message', (message) => receive(/** @type {Envelope<Order>} */ (message)));
// The process that wanted the result is done with this one, or gone.
process.once('disconnect', () => process.exit(0));
process.on('uncaughtException', (thrown) => {
  if (current) current.fail(thrown, true);
  else process.exit(1);
});
