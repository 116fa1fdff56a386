import { Worker } from 'node:worker_threads';
import type { Clock } from '../../../core/clock.ts';
import { messageOf } from '../../../core/errors.ts';
import type { AttemptRequest, Behaviour } from '../behaviour.ts';
import { allowedEnvironment } from '../process/environment.ts';
import type { Environment } from '../process/environment.ts';
import { Tail } from '../process/tail.ts';
import type { Carrier, CarrierListener, CarrierSource } from './carrier.ts';
import { createIsolatedBehaviour } from './isolated.ts';
import { loaderFlags } from './loader-flags.ts';
import type { Envelope, Order, Report } from './protocol.ts';

/** What threads and processes of their own need. */
export interface IsolationOptions {
  readonly clock: Clock;
  /** Where the passed-on variables come from. */
  readonly environment: Environment;
}

/** Threads that are kept warm for the next attempt, over all modules; the one idle longest goes first. */
export const maxIdleThreads = 8;

/** Time for a thread to end after it was told to; more only if it sits in a blocking system call. */
const terminateMs = 1_000;

const entry = new URL('./entry.mjs', import.meta.url);

/** Functions in threads, which are used again for the same module and limits. `limits.maxMemoryMb` bounds the heap. */
export function createThreadBehaviour(options: IsolationOptions): Behaviour {
  return createIsolatedBehaviour(new ThreadSource(options), options.clock);
}

interface IdleThread {
  readonly key: string;
  readonly thread: Thread;
}

/** Invariants: an idle thread is alive and holds the process by nothing; a thread is idle or carries one attempt. */
class ThreadSource implements CarrierSource {
  readonly kind = 'thread';
  private readonly options: IsolationOptions;
  private idle: IdleThread[] = [];
  private closed = false;

  constructor(options: IsolationOptions) {
    this.options = options;
  }

  take(request: AttemptRequest): Carrier {
    const key = keyOf(request);
    const index = this.idle.findLastIndex((candidate) => candidate.key === key);
    const [found] = index === -1 ? [] : this.idle.splice(index, 1);
    if (!found) return this.make(request);
    found.thread.wake();
    return found.thread;
  }

  private make(request: AttemptRequest): Thread {
    const thread = new Thread(request, this.options);
    void thread.ended.then(() => this.forget(thread));
    return thread;
  }

  async giveBack(request: AttemptRequest, carrier: Carrier): Promise<void> {
    const thread = carrier as Thread;
    if (this.closed) return end(thread);
    thread.rest();
    this.idle.push({ key: keyOf(request), thread });
    const [oldest] = this.idle.length > maxIdleThreads ? this.idle.splice(0, 1) : [];
    if (oldest) await end(oldest.thread);
  }

  async close(): Promise<void> {
    this.closed = true;
    const { idle } = this;
    this.idle = [];
    await Promise.all(idle.map(({ thread }) => end(thread)));
  }

  private forget(thread: Thread): void {
    this.idle = this.idle.filter((candidate) => candidate.thread !== thread);
  }
}

function keyOf({ agent, baseDir }: AttemptRequest): string {
  return JSON.stringify([agent.module, baseDir, agent.limits.maxMemoryMb, agent.env]);
}

async function end(thread: Thread): Promise<void> {
  thread.kill();
  await thread.ended;
}

/** Invariant: at most one listener, the attempt that it carries; an idle thread holds on to none. */
class Thread implements Carrier {
  readonly ended: Promise<string>;
  private readonly worker: Worker;
  private readonly clock: Clock;
  private readonly maxMemoryMb: number;
  private stderr = new Tail();
  private failure: unknown;
  private giveUp: () => void = () => undefined;
  private killed = false;
  private listener: CarrierListener | undefined;

  constructor({ agent }: AttemptRequest, { clock, environment }: IsolationOptions) {
    this.clock = clock;
    this.maxMemoryMb = agent.limits.maxMemoryMb;
    this.worker = new Worker(entry, {
      env: allowedEnvironment(environment, agent.env),
      execArgv: loaderFlags(process.execArgv),
      resourceLimits: { maxOldGenerationSizeMb: this.maxMemoryMb },
      stdout: true,
      stderr: true,
    });
    this.worker.stdout.resume();
    this.worker.stderr.on('data', (chunk: Buffer) => this.stderr.add(chunk));
    this.worker.on('error', (failure) => (this.failure = failure));
    this.worker.on('message', (envelope: Envelope<Report>) => this.listener?.onReport(envelope));
    this.ended = this.follow();
    void this.ended.then((how) => this.listener?.onEnd(how));
  }

  post(envelope: Envelope<Order>): void {
    this.worker.postMessage(envelope);
  }

  listen(listener: CarrierListener): void {
    this.listener = listener;
  }

  kill(): void {
    if (this.killed) return;
    this.killed = true;
    const timer = this.clock.setTimeout(this.giveUp, terminateMs);
    void this.ended.then(() => this.clock.clearTimeout(timer));
    void this.worker.terminate();
  }

  /** Idle: it does not keep the process alive. */
  rest(): void {
    this.listener = undefined;
    this.worker.unref();
  }

  /** Carries again, with fresh error lines. */
  wake(): void {
    this.stderr = new Tail();
    this.worker.ref();
  }

  private follow(): Promise<string> {
    const gone = new Promise<number>((resolve) => this.worker.once('exit', resolve));
    const printed = new Promise((resolve) => this.worker.stderr.once('close', resolve));
    const told = Promise.all([gone, printed]).then(([code]) => this.describe(code));
    const stuck = new Promise<string>((resolve) => {
      this.giveUp = () => {
        this.worker.unref();
        resolve('does not end: it sits in a blocking call.');
      };
    });
    return Promise.race([told, stuck]);
  }

  private describe(code: number): string {
    const { failure, maxMemoryMb } = this;
    const outOfMemory =
      (failure as { code?: unknown } | undefined)?.code === 'ERR_WORKER_OUT_OF_MEMORY';
    if (outOfMemory) return `ran out of memory (limit ${maxMemoryMb} MiB).${this.stderr.quoted()}`;
    if (failure !== undefined) return `broke down: ${messageOf(failure)}.${this.stderr.quoted()}`;
    return `exited with code ${code}.${this.stderr.quoted()}`;
  }
}
