import { systemClock } from '../core/clock.ts';
import type { Clock } from '../core/clock.ts';
import type { Troupe, TroupeOptions } from '../runtime/api.ts';
import { Screen } from './screen.ts';
import type { StandingBlock } from './screen.ts';

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
  /** Lets a block stand at the bottom of the terminal, below whatever else is written, until the answer is called. */
  stand(block: StandingBlock): () => void;
  /** Size of the terminal behind `err`; undefined when there is none. */
  terminal(): TerminalSize | undefined;
  /** Columns to lay results out for: those of the terminal, else 100. */
  outColumns(): number;
  /** Results go to a terminal: long texts are wrapped there, and left whole elsewhere. */
  outIsTerminal(): boolean;
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
  const screen = takeStreams();
  const { env, stderr, stdout } = process;
  return {
    out: (text) => screen.out(text),
    err: (text) => screen.err(text),
    stand: (block) => screen.stand(block),
    terminal: () =>
      stderr.isTTY && env['TERM'] !== 'dumb'
        ? { columns: stderr.columns || 80, rows: stderr.rows || 24 }
        : undefined,
    outColumns: () => (stdout.isTTY && stdout.columns) || columnsWithoutTerminal,
    outIsTerminal: () => stdout.isTTY,
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
 * Agents run inside this process and may print; results must stay pure, and progress whole. So whatever else
 * is written to the standard streams goes to standard error, by the one writer that also draws the progress.
 * A reader that left (EPIPE) ends the writing, not the run.
 */
function takeStreams(): Screen {
  const { stderr, stdout } = process;
  const writeOut = writerOf(stdout);
  const screen = new Screen({
    out: writeOut,
    err: writerOf(stderr),
    outIsTerminal: stdout.isTTY,
  });
  for (const stream of [stdout, stderr]) stream.write = strayWrite((text) => screen.stray(text));
  return screen;
}

/** Writes to a stream past whatever is put in place of its own method, until it has failed. */
function writerOf(stream: NodeJS.WriteStream): (text: string) => void {
  const write = stream.write.bind(stream);
  stream.on('error', () => failed.add(stream));
  return (text) => {
    if (!failed.has(stream)) write(text);
  };
}

/** Stands for the `write` of a stream. The answer is always that it can take more, since nothing waits here. */
function strayWrite(take: (text: string) => void): NodeJS.WriteStream['write'] {
  return (
    chunk: string | Uint8Array,
    encoding?: BufferEncoding | WriteCallback,
    written?: WriteCallback,
  ): boolean => {
    take(typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8'));
    const callback = typeof encoding === 'function' ? encoding : written;
    if (callback) process.nextTick(callback);
    return true;
  };
}

type WriteCallback = (error?: Error | null) => void;

async function readStandardInput(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk as Buffer));
  return Buffer.concat(chunks).toString('utf8');
}

function listenTo(signal: ShellSignal, fn: () => void): () => void {
  process.on(signal, fn);
  return () => process.off(signal, fn);
}
