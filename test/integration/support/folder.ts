import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../../support/eventually.ts';
import { endPrograms, isRunning, Program } from './program.ts';
import type { ProgramEnd, ProgramOptions } from './program.ts';

/** A folder with a document, its agents, a data folder and what the agents leave there. */
export class WorkFolder {
  readonly path: string;
  readonly data: string;

  constructor(agents: string) {
    this.path = mkdtempSync(join(tmpdir(), 'troupe-integration-'));
    this.data = join(this.path, 'data');
    writeFileSync(join(this.path, 'agents.mjs'), agents);
  }

  document(document: object): void {
    const text = JSON.stringify({ version: 1, name: 'integration', ...document });
    writeFileSync(join(this.path, 'flow.json'), text);
  }

  start(args: readonly string[], options: Partial<ProgramOptions> = {}): Program {
    return Program.start([...args, '--data', this.data], { cwd: this.path, ...options });
  }

  /** Runs a command to its end. */
  call(...args: readonly string[]): Promise<ProgramEnd> {
    return this.start(args).ended;
  }

  /** Lets agents go on that wait for this file. */
  write(name: string, text = ''): void {
    writeFileSync(join(this.path, name), text);
  }

  has(name: string): boolean {
    return existsSync(join(this.path, name));
  }

  lines(name: string): readonly string[] {
    if (!this.has(name)) return [];
    return readFileSync(join(this.path, name), 'utf8').split('\n').filter(Boolean);
  }

  /** Ids of the processes in which agents ran, from the files `pid-TASK` that they left. */
  pids(): readonly number[] {
    const names = readdirSync(this.path).filter((name) => name.startsWith('pid-'));
    const pids = names.map((name) => Number(readFileSync(join(this.path, name), 'utf8')));
    // A file that was just made is empty; and 0 would mean the whole group of this process.
    return pids.filter((pid) => pid > 0);
  }

  /** Ends whatever a failed test has left, each process by its id. */
  async remove(): Promise<void> {
    await endPrograms();
    for (const pid of this.pids()) if (isRunning(pid)) process.kill(pid, 'SIGKILL');
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** Waits until a file is there and has been written. */
export function fileAppears(folder: WorkFolder, name: string): Promise<void> {
  return eventually(`${name} is written`, () => folder.lines(name).length > 0);
}
