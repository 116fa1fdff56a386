import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { resolve } from 'node:path';
import type { Clock } from '../../core/clock.ts';
import { TroupeError } from '../../core/errors.ts';
import type { Plain } from '../../core/plain.ts';
import type { MemoryChange } from '../../journal/record.ts';
import { AbortWatch } from './abort-watch.ts';
import { attemptError } from './attempt-error.ts';
import type {
  AttemptPort,
  AttemptRequest,
  AttemptResult,
  Behaviour,
  CallEnd,
} from './behaviour.ts';
import { maxCallTries } from './call-failure.mjs';
import type { CommandEvent } from './command/command-event.ts';
import { CommandOutput, fault } from './command/command-output.ts';
import { LineReader } from './command/line-reader.ts';
import { copyMemory } from './memory-copy.ts';
import { allowedEnvironment } from './process/environment.ts';
import type { Environment } from './process/environment.ts';
import { ProcessGroup } from './process/process-group.ts';
import type { ProcessEnd } from './process/process-group.ts';
import { Tail } from './process/tail.ts';

/** What command agents need. */
export interface CommandOptions {
  readonly clock: Clock;
  /** Where the passed-on variables come from. */
  readonly environment: Environment;
}

/** Longest line that a program may print, in bytes. */
export const maxLineBytes = 1024 * 1024;

/**
 * Programs: one JSON line in, JSON lines out ({@link CommandOutput}, {@link CommandEvent}). Each runs in a process
 * group of its own, without a shell, with an allow-list for an environment. On abort the group gets SIGTERM,
 * and SIGKILL after `limits.killAfterMs`; when the program ends, whatever it started ends with it.
 * Rejects with TRP_COMMAND_SPAWN, TRP_COMMAND_EXIT, TRP_COMMAND_OUTPUT, the program's own error, or the signal's reason.
 */
export function createCommandBehaviour(options: CommandOptions): Behaviour {
  return {
    async execute(request, port) {
      try {
        return await throughGate(request, port, options);
      } catch (thrown) {
        throw attemptError(thrown, options.clock.now());
      }
    },
  };
}

/**
 * The program as one call to its agent's provider, if it has one. A program that says that it was refused, and
 * fails, is started again when the provider takes calls again; it then finds the steps that it has journaled.
 */
async function throughGate(
  request: AttemptRequest,
  port: AttemptPort,
  options: CommandOptions,
): Promise<AttemptResult> {
  const { provider, model } = request.agent;
  const { calls } = port;
  if (provider === undefined || !calls) return new CommandAttempt(request, port, options).settle();
  let { steps } = request;
  for (let tries = 1; ; tries++) {
    const ticket = await calls.admit({ provider, model });
    const attempt = new CommandAttempt({ ...request, steps }, port, options);
    let end: CallEnd['end'] = 'failed';
    try {
      const result = await attempt.settle();
      end = 'ok';
      return result;
    } catch (thrown) {
      if (!attempt.wasRefused || attempt.wasAborted) throw thrown;
      end = 'limited';
      if (tries >= maxCallTries) throw thrown;
      steps = { ...steps, ...attempt.stepsDone };
    } finally {
      calls.ended(ticket, { end });
    }
  }
}

/**
 * Invariants:
 * 1. The attempt settles after its process group has ended.
 * 2. The first fault in the output ends the group; what is printed after is not read.
 * 3. Success waits for every step to be recorded.
 */
class CommandAttempt {
  /** Steps that it has journaled. */
  readonly stepsDone: { [name: string]: Plain } = {};
  /** It has said that the provider refuses it. */
  wasRefused = false;
  wasAborted = false;
  private readonly request: AttemptRequest;
  private readonly port: AttemptPort;
  private readonly options: CommandOptions;
  private readonly stderr = new Tail();
  private readonly steps: Promise<void>[] = [];
  private readonly changes = new Map<string, MemoryChange>();
  private readonly output = new CommandOutput((event) => this.onEvent(event));
  private readonly reader: LineReader;
  private outputFault: unknown;

  constructor(request: AttemptRequest, port: AttemptPort, options: CommandOptions) {
    this.request = request;
    this.port = port;
    this.options = options;
    const maxTotalBytes = request.agent.limits.maxOutputBytes;
    this.reader = new LineReader({ maxLineBytes, maxTotalBytes }, (line) => this.output.line(line));
  }

  async settle(): Promise<AttemptResult> {
    const { clock } = this.options;
    const { killAfterMs } = this.request.agent.limits;
    const child = this.spawn();
    const group = new ProcessGroup(child, clock);
    this.connect(child, group);
    let giveUp: (reason: unknown) => void;
    const forced = new Promise<never>((_, reject) => (giveUp = reject));
    forced.catch(() => undefined);
    const force = (reason: unknown): void => {
      group.signal('SIGKILL');
      giveUp(reason);
    };
    const watch = new AbortWatch(
      this.port,
      { ask: () => group.signal('SIGTERM'), force },
      { clock, killAfterMs },
    );
    try {
      const end = await group.ended;
      return await Promise.race([this.decide(end, watch), forced]);
    } finally {
      this.wasAborted = watch.aborted;
      watch.stop();
    }
  }

  private spawn(): ChildProcessWithoutNullStreams {
    const { agent, baseDir, workspace, instance } = this.request;
    const [named = '', ...args] = agent.command;
    // A program by its path is the document's, wherever it is to work.
    const program = workspace && named.includes('/') ? resolve(baseDir, named) : named;
    try {
      const env = allowedEnvironment(this.options.environment, agent.env);
      if (instance !== undefined) env['TROUPE_INSTANCE'] = `${instance}`;
      if (workspace) env['TROUPE_WORKSPACE'] = workspace.path;
      return spawn(program, args, {
        cwd: workspace?.path ?? baseDir,
        env,
        detached: true,
        shell: false,
        stdio: 'pipe',
        windowsHide: true,
      });
    } catch (thrown) {
      throw this.notStarted(thrown as NodeJS.ErrnoException);
    }
  }

  private connect(child: ChildProcessWithoutNullStreams, group: ProcessGroup): void {
    if (child.pid === undefined) return;
    child.stdout.on('data', (chunk: Buffer) => this.onOutput(chunk, group));
    child.stderr.on('data', (chunk: Buffer) => this.stderr.add(chunk));
    for (const stream of child.stdio) stream?.on('error', ignore);
    child.stdin.end(`${this.inputLine()}\n`);
  }

  private inputLine(): string {
    const { run, task, operation, attempt, iteration, input, feedback, steps, previous } =
      this.request;
    const memory = Object.fromEntries(copyMemory(this.request).entries);
    return JSON.stringify(
      { run, task, operation, attempt, iteration, input, feedback, steps, memory, previous },
      bytesAsText,
    );
  }

  private onOutput(chunk: Buffer, group: ProcessGroup): void {
    if (this.outputFault) return;
    try {
      this.reader.push(chunk);
    } catch (thrown) {
      this.outputFault = asFault(thrown);
      group.signal('SIGKILL');
    }
  }

  private onEvent(event: CommandEvent): void {
    if (event.type === 'progress') this.port.progress(event.progress);
    if (event.type === 'memory') this.changes.set(event.change.key, event.change);
    if (event.type === 'usage') this.port.calls?.spent(event.usage);
    if (event.type === 'rate_limited') this.noteRefusal(event.retryAfterMs);
    if (event.type !== 'step') return;
    this.stepsDone[event.name] = event.value;
    const recorded = this.port.stepDone(event.name, event.value);
    recorded.catch(ignore);
    this.steps.push(recorded);
  }

  /** The others are told at once: the program may try for itself, and for long. */
  private noteRefusal(retryAfterMs: number | undefined): void {
    this.wasRefused = true;
    const { provider } = this.request.agent;
    if (provider !== undefined) this.port.calls?.refused({ provider }, retryAfterMs);
  }

  private async decide(end: ProcessEnd, watch: AbortWatch): Promise<AttemptResult> {
    if (end.spawnError) throw this.notStarted(end.spawnError);
    const failure = this.failureOf(end);
    const { verdict } = this.output;
    if (watch.aborted && (failure || verdict.said !== 'result')) throw watch.reason;
    if (failure) throw failure;
    await Promise.all(this.steps);
    const output = verdict.said === 'result' ? verdict.output : null;
    return { output, changes: [...this.changes.values()] };
  }

  /** What tells most comes first: why we ended it, what it said itself, how it ended, what was left unfinished. */
  private failureOf(end: ProcessEnd): unknown {
    if (this.outputFault) return this.outputFault;
    const endFault = this.endOutput();
    if (this.output.verdict.said === 'error') return this.output.verdict.error;
    return end.code === 0 ? endFault : this.badExit(end);
  }

  private endOutput(): unknown {
    try {
      this.reader.end();
      this.output.end();
      return undefined;
    } catch (thrown) {
      return asFault(thrown);
    }
  }

  private notStarted(cause: NodeJS.ErrnoException): TroupeError {
    const { agent, baseDir } = this.request;
    const why = cause.code === 'ENOENT' ? 'not found' : cause.message;
    const busy = ['EAGAIN', 'EMFILE', 'ENFILE', 'ENOMEM'].includes(cause.code ?? '');
    return new TroupeError(
      'TRP_COMMAND_SPAWN',
      `The program "${agent.command[0] ?? ''}" could not be started: ${why}.`,
      {
        place: baseDir,
        errorClass: busy ? 'transient' : 'permanent',
        cause,
      },
    );
  }

  private badExit({ code, signal }: ProcessEnd): TroupeError {
    const how = signal ? `was ended by ${signal}` : `ended with code ${code ?? 'unknown'}`;
    const message = `The program "${this.request.agent.command[0] ?? ''}" ${how}.${this.stderr.quoted()}`;
    return new TroupeError('TRP_COMMAND_EXIT', message, { errorClass: 'transient' });
  }
}

function ignore(): void {
  // A program may close its input unread, and a killed one breaks its pipes: how it ended tells the story.
}

function asFault(thrown: unknown): unknown {
  if (thrown instanceof RangeError) return fault(thrown.message);
  if (thrown instanceof TypeError) return fault('it is not UTF-8 text');
  return thrown;
}

/** JSON has no bytes: they go as `{"$bytes": "<base64>"}`. */
function bytesAsText(_key: string, value: Plain): Plain {
  return value instanceof Uint8Array ? { $bytes: Buffer.from(value).toString('base64') } : value;
}
