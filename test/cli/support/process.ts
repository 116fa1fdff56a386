import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { eventually } from '../../support/eventually.ts';

const main = resolve('dist', 'cli', 'main.js');

/** How a process ended and what it wrote. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface TroupeProcess {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** What it has written to standard error so far. */
  stderr(): string;
  /** Waits until standard error contains a text. */
  until(text: string): Promise<void>;
}

/** Starts the built command line in a process of its own. */
export function startTroupe(
  cwd: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): TroupeProcess {
  const clean = { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env };
  const child = spawn(process.execPath, [main, ...args], {
    cwd,
    env: clean,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = once(child, 'close').then(
    ([code, signal]) => ({ code, signal, stdout, stderr }) as Ended,
  );
  const until = (text: string): Promise<void> =>
    eventually(`standard error has ${JSON.stringify(text)}; it has ${JSON.stringify(stderr)}`, () =>
      stderr.includes(text),
    );
  return { child, ended, stderr: () => stderr, until };
}

/** Runs the built command line to its end. */
export function troupe(cwd: string, ...args: readonly string[]): Promise<Ended> {
  return startTroupe(cwd, args).ended;
}
