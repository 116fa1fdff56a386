import { expect } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { WorkFolder } from './folder.ts';
import type { Program, ProgramEnd } from './program.ts';

/** `fails` does until somebody writes the file `mended`; `gate` runs until the file `go` is there. */
const agents = `
import { appendFileSync, existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
export function quick({ task }) { appendFileSync('done', task + '\\n'); return task; }
export function fails(context) {
  appendFileSync('tried', context.task + '\\n');
  if (!existsSync('mended')) throw new Error('no luck');
  return quick(context);
}
export async function gate(context) {
  while (!existsSync('go')) await delay(5, undefined, { signal: context.signal });
  return quick(context);
}
`;

/** A task by the name of its function, with keys of the document. */
interface FailingTask {
  readonly run: 'quick' | 'fails' | 'gate';
  readonly [key: string]: unknown;
}

/** A folder whose runs fail until they are mended, and the commands of a person who sees to that. */
export class FailingWorld {
  readonly folder = new WorkFolder(agents);

  /** @param tasks by id; `run` of each names its function. */
  document(tasks: { readonly [id: string]: FailingTask }): void {
    const entries = Object.entries(tasks).map(([id, { run, ...rest }]) => [
      id,
      { uses: 'function', module: `./agents.mjs#${run}`, ...rest },
    ]);
    this.folder.document({ tasks: Object.fromEntries(entries) as object });
  }

  start(...options: readonly string[]): Program {
    return this.folder.start(['run', 'flow.json', '--jsonl', '-q', ...options]);
  }

  /** Calls a command that must succeed; gives its only object. */
  async told(...args: readonly string[]): Promise<object> {
    const end = await this.folder.call(...args, '--json');
    expect([args[0], end.code, end.stderr]).toEqual([args[0], 0, expect.anything()]);
    return objectOf(end);
  }

  async text(...args: readonly string[]): Promise<string> {
    const { code, stdout } = await this.folder.call(...args);
    expect([args[0], code]).toEqual([args[0], 0]);
    return stdout;
  }

  async shown(run: string): Promise<Shown> {
    return (await this.told('show', run)) as Shown;
  }

  /** Waits until another process sees the run in this state. */
  status(run: string, status: string): Promise<void> {
    const isSo = async (): Promise<boolean> => (await this.shown(run)).status === status;
    return eventually(`${run} is ${status}`, isSo);
  }

  remove(): Promise<void> {
    return this.folder.remove();
  }
}

/** A report as JSON, as far as the tests look into it. */
export interface Shown {
  readonly run_id: string;
  readonly status: string;
  readonly outputs: object;
  readonly tasks: readonly { readonly id: string; readonly outcome: string; reason: string }[];
  readonly recovery: {
    readonly paused: { readonly by: string; readonly tasks: readonly string[] } | null;
    readonly questions: readonly {
      readonly id: number;
      readonly task: string;
      readonly deadline: string;
      readonly default: string;
      readonly choices: readonly string[];
    }[];
    readonly forked: object | null;
  };
}

/** The only object on standard output. */
export function objectOf({ stdout, stderr }: ProgramEnd): object {
  if (stdout.trim() === '') throw new Error(`It wrote no object.\n${stderr}`);
  return JSON.parse(stdout) as object;
}

/** Tasks with how they stand. */
export function outcomesOf({ tasks }: Pick<Shown, 'tasks'>): object {
  return Object.fromEntries(tasks.map(({ id, outcome }) => [id, outcome]));
}
