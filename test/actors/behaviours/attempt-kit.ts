import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { errorInfo, TroupeError } from '../../../src/core/errors.ts';
import type { ErrorInfo } from '../../../src/core/errors.ts';
import type { Plain } from '../../../src/core/plain.ts';
import { attemptError } from '../../../src/actors/behaviours/attempt-error.ts';
import type {
  AttemptPort,
  AttemptRequest,
  AttemptResult,
  Behaviour,
  MemoryReader,
  Progress,
} from '../../../src/actors/behaviours/behaviour.ts';
import { keyMatches } from '../../../src/core/key-pattern.ts';
import type { AgentLimits, AgentSpec } from '../../../src/workflow/model.ts';

/** What a test says of an attempt; the rest is made up. */
export type AttemptInput = Partial<Omit<AttemptRequest, 'agent' | 'memory'>> & {
  readonly agent?: Partial<Omit<AgentSpec, 'limits'>> & { readonly limits?: Partial<AgentLimits> };
  readonly memory?: { readonly [key: string]: Plain };
};

/** Where the modules and programs of these tests lie. */
export const fixtures = fileURLToPath(new URL('./fixtures', import.meta.url));

/** A request with sensible values for whatever the test leaves open. */
export function requestOf({ agent = {}, memory = {}, ...rest }: AttemptInput): AttemptRequest {
  return {
    run: 'run-1',
    task: 'write',
    operation: 'op-1',
    attempt: 1,
    iteration: 1,
    agent: agentOf(agent),
    input: null,
    feedback: null,
    steps: {},
    memory: readerOf(memory),
    seed: 7,
    baseDir: fixtures,
    estimateMs: 1_000,
    ...rest,
  };
}

/** An agent with the document's defaults, but for a short kill time. */
export function agentOf({ limits = {}, ...rest }: NonNullable<AttemptInput['agent']>): AgentSpec {
  return {
    id: 'writer',
    uses: 'function',
    module: undefined,
    export: 'default',
    command: [],
    env: [],
    limits: {
      concurrency: undefined,
      maxOutputBytes: 8 * 1024 * 1024,
      maxMemoryMb: 256,
      killAfterMs: 200,
      ...limits,
    },
    isolate: 'inline',
    owns: [],
    with: {},
    ...rest,
  };
}

/** A memory that never changes. */
export function readerOf(memory: { readonly [key: string]: Plain }): MemoryReader {
  return {
    revision: 5,
    get: (key) => memory[key],
    keys: (pattern) =>
      Object.keys(memory)
        .filter((key) => pattern === undefined || keyMatches(pattern, key))
        .sort(),
  };
}

/** A port that remembers what it was told. */
export class RecordingPort implements AttemptPort {
  readonly reports: Progress[] = [];
  readonly steps: (readonly [name: string, value: Plain])[] = [];
  /** How often a signal was asked for. */
  signalsAsked = 0;
  private readonly controller = new AbortController();

  signal(): AbortSignal {
    this.signalsAsked++;
    return this.controller.signal;
  }

  progress(progress: Progress): void {
    this.reports.push(progress);
  }

  async stepDone(name: string, value: Plain): Promise<void> {
    this.steps.push([name, value]);
  }

  abort(): void {
    this.controller.abort(cancelled);
  }
}

/** A port whose attempt is no longer wanted. */
export function abortedPort(): RecordingPort {
  const port = new RecordingPort();
  port.abort();
  return port;
}

/** The reason with which {@link RecordingPort} aborts. */
export const cancelled = new TroupeError('TRP_ATTEMPT_CANCELLED', 'Cancelled by a test.', {
  errorClass: 'cancelled',
});

/** An attempt under way. */
export interface StartedAttempt {
  readonly port: RecordingPort;
  readonly result: Promise<AttemptResult>;
}

/** Starts an attempt. @param port may have been aborted before. */
export function start(
  behaviour: Behaviour,
  input: AttemptInput,
  port = new RecordingPort(),
): StartedAttempt {
  const result = behaviour.execute(requestOf(input), port);
  result.catch(() => undefined);
  return { port, result };
}

/** Runs an attempt to its end. */
export function run(behaviour: Behaviour, input: AttemptInput): Promise<AttemptResult> {
  return start(behaviour, input).result;
}

/** The error with which an attempt ends; fails when it succeeds. */
export async function failureOf(result: Promise<AttemptResult>): Promise<ErrorInfo> {
  try {
    await result;
  } catch (thrown) {
    return errorInfo(attemptError(thrown));
  }
  throw new Error('The attempt succeeded.');
}

/** Whether a process of that id runs. One that has ended and waits for init to fetch its code does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return (
      !existsSync('/proc/self/stat') || !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
    );
  } catch {
    return false;
  }
}
