import { systemClock } from '../core/clock.ts';
import type { Clock } from '../core/clock.ts';
import type { Troupe, TroupeOptions } from '../runtime/api.ts';

/** Signals that a run in the foreground answers to. */
export type ShellSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

/** The size of a terminal in characters. */
export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** Everything that a command may touch of the world around it, so that tests can be that world. */
export interface Shell {
  /** Writes results. */
  out(text: string): void;
  /** Writes progress, warnings and errors. */
  err(text: string): void;
  /** Size of the terminal behind `err`; undefined when there is none. */
  terminal(): TerminalSize | undefined;
  /** Columns to lay results out for: those of the terminal, else 100. */
  outColumns(): number;
  readonly colours: { readonly out: boolean; readonly err: boolean };
  readonly env: { readonly [name: string]: string | undefined };
  /** Folder that relative paths start from; absolute. */
  readonly cwd: string;
  readonly clock: Clock;
  /** All of standard input as text. */
  readInput(): Promise<string>;
  /** Calls `fn` at every such signal, instead of what the system does by default, until the answer is called. */
  onSignal(signal: ShellSignal, fn: () => void): () => void;
  /** Ends the process at once. */
  exit(code: number): void;
  /** Makes the Troupe that a command works with. */
  openTroupe(options: TroupeOptions): Promise<Troupe>;
}

/** Columns of results that go to a file or a pipe. */
const columnsWithoutTerminal = 100;

/** The shell of this process. From the call on, standard output belongs to `out` alone. */
export function processShell(): Shell {
  const writeOut = reserveStandardOutput();
  const { env, stderr, stdout } = process;
  return {
    out: writeOut,
    err: (text) => void stderr.write(text),
    terminal: () =>
      stderr.isTTY && env['TERM'] !== 'dumb'
        ? { columns: stderr.columns || 80, rows: stderr.rows || 24 }
        : undefined,
    outColumns: () => (stdout.isTTY ? stdout.columns : columnsWithoutTerminal),
    colours: { out: wantsColour(env, stdout.isTTY), err: wantsColour(env, stderr.isTTY) },
    env,
    cwd: process.cwd(),
    clock: systemClock,
    readInput: readStandardInput,
    onSignal: listenTo,
    exit: (code) => process.exit(code),
    openTroupe: async (options) => (await import('../runtime/troupe.ts')).createTroupe(options),
  };
}

/** NO_COLOR (any text) wins over FORCE_COLOR (any text but 0 and false), which wins over what the stream is. */
export function wantsColour(env: Shell['env'], isTerminal: boolean | undefined): boolean {
  const { NO_COLOR = '', FORCE_COLOR = '', TERM } = env;
  if (NO_COLOR !== '') return false;
  if (FORCE_COLOR !== '') return FORCE_COLOR !== '0' && FORCE_COLOR !== 'false';
  return isTerminal === true && TERM !== 'dumb';
}

/** Resolves when everything that was written has left the process, or can never leave it. */
export async function flushed(): Promise<void> {
  await Promise.all([process.stdout, process.stderr].map(ended));
}

/** Standard streams that failed. They do not tell so themselves, nor do they ever call back. */
const failed = new Set<NodeJS.WriteStream>();

function ended(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (failed.has(stream)) return resolve();
    stream.once('error', () => resolve());
    stream.end(() => resolve());
  });
}

/**
 * Agents run inside this process and may print; results must stay pure. So whatever else is written to
 * standard output goes to standard error. A reader that left (EPIPE) ends the writing, not the run.
 */
function reserveStandardOutput(): (text: string) => void {
  const { stderr, stdout } = process;
  const write = stdout.write.bind(stdout);
  for (const stream of [stdout, stderr]) stream.on('error', () => failed.add(stream));
  stdout.write = stderr.write.bind(stderr) as typeof stdout.write;
  return (text) => {
    if (!failed.has(stdout)) write(text);
  };
}

async function readStandardInput(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk as Buffer));
  return Buffer.concat(chunks).toString('utf8');
}

function listenTo(signal: ShellSignal, fn: () => void): () => void {
  process.on(signal, fn);
  return () => process.off(signal, fn);
}
