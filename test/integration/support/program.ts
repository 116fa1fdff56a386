import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';

const main = resolve('dist', 'cli', 'main.js');

/** One line of `--jsonl`. */
export interface JsonlEvent {
  readonly type: string;
  readonly run: string;
  readonly task?: string;
  readonly [member: string]: unknown;
}

/** How a program ended and what it wrote. */
export interface ProgramEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Every line of standard output that is a whole JSON object. */
  readonly lines: readonly JsonlEvent[];
  readonly stdout: string;
  readonly stderr: string;
}

/** Where and with what a program is started. */
export interface ProgramOptions {
  readonly cwd: string;
  readonly env?: NodeJS.ProcessEnv;
  /** What Node runs. Default: the command line. */
  readonly script?: string;
  /** Modules that Node loads before it. */
  readonly preload?: readonly string[];
  /** Most 512-byte blocks (of the shell's `ulimit -f`) that a file of it may grow to. */
  readonly fileBlocks?: number;
}

interface Watcher {
  fits(event: JsonlEvent): boolean;
  found(event: JsonlEvent): void;
}

const running = new Set<Program>();

/** Ends what tests have started and that still runs, each by its own id. */
export async function endPrograms(): Promise<void> {
  await Promise.all([...running].map((program) => program.kill()));
}

/** The built command line, or another program, in a process of its own; its events are seen as it writes them. */
export class Program {
  readonly child: ChildProcess;
  readonly ended: Promise<ProgramEnd>;
  private readonly watchers = new Set<Watcher>();
  private readonly lines: JsonlEvent[] = [];
  private stdout = '';
  private stderr = '';

  private constructor(child: ChildProcess) {
    this.child = child;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    if (child.stdout)
      createInterface(child.stdout).on('line', (line) => {
        this.stdout += `${line}\n`;
        this.take(line);
      });
    this.ended = once(child, 'close').then(([code, signal]) => {
      running.delete(this);
      const { lines, stderr, stdout } = this;
      return { code, signal, lines, stdout, stderr } as ProgramEnd;
    });
    running.add(this);
  }

  static start(args: readonly string[], options: ProgramOptions): Program {
    const { cwd, env = {}, fileBlocks, preload = [], script = main } = options;
    const words = [...preload.flatMap((module) => ['--import', module]), script, ...args];
    const limited = ['-c', 'ulimit -f "$0"; exec "$@"', String(fileBlocks), process.execPath];
    const [program, before] = fileBlocks === undefined ? [process.execPath, []] : ['sh', limited];
    const child = spawn(program, [...before, ...words], {
      cwd,
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return new Program(child);
  }

  /** What it has written to standard error so far. */
  get told(): string {
    return this.stderr;
  }

  /** The first event that fits, from the start on; rejects when the program ends without it. */
  event(what: string, fits: (event: JsonlEvent) => boolean): Promise<JsonlEvent> {
    const known = this.lines.find(fits);
    if (known) return Promise.resolve(known);
    const seen = new Promise<JsonlEvent>((found) => this.watchers.add({ fits, found }));
    const missed = this.ended.then(({ code, signal, stdout, stderr }) => {
      const end = `ended (${code ?? signal}) without ${what}`;
      throw new Error(`The program ${end}.\n${stdout.slice(-2000)}\n${stderr.slice(-2000)}`);
    });
    return Promise.race([seen, missed]);
  }

  /** The event that makes the count of those that fit complete. */
  nth(count: number, type: string): Promise<JsonlEvent> {
    let seen = 0;
    return this.event(`${count} times ${type}`, (event) => event.type === type && ++seen === count);
  }

  kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<ProgramEnd> {
    this.child.kill(signal);
    return this.ended;
  }

  private take(line: string): void {
    const event = parsed(line);
    if (!event) return;
    this.lines.push(event);
    for (const watcher of this.watchers) {
      if (!watcher.fits(event)) continue;
      this.watchers.delete(watcher);
      watcher.found(event);
    }
  }
}

/** A line that a kill has cut is no event. */
function parsed(line: string): JsonlEvent | undefined {
  try {
    return JSON.parse(line) as JsonlEvent;
  } catch {
    return undefined;
  }
}

/** Whether a process of this id lives; one that has ended and waits to be collected does not. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const stat = `/proc/${pid}/stat`;
  return !existsSync(stat) || !/^\d+ \(.*\) [ZX] /s.test(readFileSync(stat, 'utf8'));
}
