import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Clock } from '../../../core/clock.ts';
import type { AttemptRequest, Behaviour } from '../behaviour.ts';
import { allowedEnvironment } from '../process/environment.ts';
import { ProcessGroup } from '../process/process-group.ts';
import type { ProcessEnd } from '../process/process-group.ts';
import { Tail } from '../process/tail.ts';
import type { Carrier, CarrierListener, CarrierSource } from './carrier.ts';
import { createIsolatedBehaviour } from './isolated.ts';
import { loaderFlags } from './loader-flags.ts';
import type { Envelope, Order, Report } from './protocol.ts';
import type { IsolationOptions } from './thread.ts';

/**
 * Functions in processes, one per attempt, each leading a process group of its own: the only isolation that
 * also ends what the function started. `limits.maxMemoryMb` bounds the heap.
 */
export function createProcessBehaviour(options: IsolationOptions): Behaviour {
  return createIsolatedBehaviour(new ProcessSource(options), options.clock);
}

class ProcessSource implements CarrierSource {
  readonly kind = 'process';
  private readonly options: IsolationOptions;

  constructor(options: IsolationOptions) {
    this.options = options;
  }

  take(request: AttemptRequest): Carrier {
    return new IsolatedProcess(request, this.options);
  }

  async giveBack({ agent }: AttemptRequest, carrier: Carrier): Promise<void> {
    const leaving = carrier as IsolatedProcess;
    leaving.dismiss();
    const { clock } = this.options;
    const timer = clock.setTimeout(() => leaving.kill(), agent.limits.killAfterMs);
    await leaving.ended;
    clock.clearTimeout(timer);
  }

  async close(): Promise<void> {
    // Processes are not kept between attempts.
  }
}

class IsolatedProcess implements Carrier {
  readonly ended: Promise<string>;
  private readonly child: ChildProcess;
  private readonly group: ProcessGroup;
  private readonly stderr = new Tail();
  private readonly maxMemoryMb: number;

  constructor(request: AttemptRequest, { clock, environment }: IsolationOptions) {
    const { agent, baseDir } = request;
    this.maxMemoryMb = agent.limits.maxMemoryMb;
    this.child = spawn(process.execPath, argumentsFor(this.maxMemoryMb), {
      cwd: baseDir,
      env: allowedEnvironment(environment, agent.env),
      detached: true,
      serialization: 'advanced',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      windowsHide: true,
    });
    this.group = this.follow(clock);
    this.ended = this.group.ended.then((end) => this.describe(end));
  }

  post(envelope: Envelope<Order>): void {
    if (this.child.connected) this.child.send(envelope, ignore);
  }

  listen(listener: CarrierListener): void {
    this.child.on('message', (message) => listener.onReport(message as Envelope<Report>));
    void this.ended.then((how) => listener.onEnd(how));
  }

  kill(): void {
    this.group.signal('SIGKILL');
  }

  /** Lets it end by itself. */
  dismiss(): void {
    if (this.child.connected) this.child.disconnect();
  }

  private follow(clock: Clock): ProcessGroup {
    this.child.stdout?.resume();
    this.child.stderr?.on('data', (chunk: Buffer) => this.stderr.add(chunk));
    return new ProcessGroup(this.child, clock);
  }

  private describe({ code, signal, spawnError }: ProcessEnd): string {
    const lines = this.stderr.quoted();
    if (spawnError) return `could not be started: ${spawnError.message}.`;
    if (lines.includes('heap out of memory'))
      return `ran out of memory (limit ${this.maxMemoryMb} MiB).${lines}`;
    return `${signal ? `was ended by ${signal}` : `exited with code ${code ?? 'unknown'}`}.${lines}`;
  }
}

function argumentsFor(maxMemoryMb: number): string[] {
  const heap = `--max-old-space-size=${maxMemoryMb}`;
  return [
    ...loaderFlags(process.execArgv),
    heap,
    fileURLToPath(new URL('./entry.mjs', import.meta.url)),
  ];
}

function ignore(): void {
  // A process that has ended takes no orders; how it ended tells the story.
}
