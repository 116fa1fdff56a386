import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { endsWithThisProcess } from '../../support/ends-with-this-process.ts';
import { eventually } from '../../support/eventually.ts';

const main = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));
const fixtures = fileURLToPath(new URL('fixtures/', import.meta.url));

/** A `troupe worker` process of its own. */
export class HostProcess {
  readonly child: ChildProcess;
  private text = '';

  constructor(url: string, args: readonly string[] = []) {
    const all = ['worker', '--nats', url, '--pools', 'gpu', '--functions', `${fixtures}agents.mjs`];
    this.child = spawn(process.execPath, [main, ...all, '--base-dir', fixtures, ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.child.stderr?.on('data', (chunk: Buffer) => (this.text += chunk.toString()));
    endsWithThisProcess(this.child);
  }

  get errors(): string {
    return this.text;
  }

  get pid(): number {
    return this.child.pid ?? -1;
  }

  async ready(): Promise<this> {
    await eventually('a worker serves its pools', () => this.text.includes(' serves '));
    return this;
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Resolves with the exit code, or the signal that ended it. */
  async ended(): Promise<number | string | null> {
    if (this.child.exitCode !== null) return this.child.exitCode;
    if (this.child.signalCode !== null) return this.child.signalCode;
    const [code, signal] = (await once(this.child, 'exit')) as [number | null, string | null];
    return code ?? signal;
  }

  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.ended();
  }
}

/** A process that owns one run. */
export class SupervisorProcess {
  readonly child: ChildProcess;
  private text = '';

  constructor(url: string, dataDir: string, document: object) {
    const script = `${fixtures}supervisor.mjs`;
    this.child = spawn(process.execPath, [script, url, dataDir, JSON.stringify(document)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.child.stdout?.on('data', (chunk: Buffer) => (this.text += chunk.toString()));
    endsWithThisProcess(this.child);
  }

  async run(): Promise<string> {
    await eventually('the run has an id', () => this.text.includes('\n'));
    return this.text.split('\n')[0] ?? '';
  }

  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await ended;
  }
}

/** The file that tells what was done to the outside world, and a folder for journals beside it. */
export class Observer {
  readonly folder = mkdtempSync(join(tmpdir(), 'troupe-observer-'));
  readonly file = join(this.folder, 'effects');

  constructor() {
    writeFileSync(this.file, '');
  }

  /** Lines of one kind, as their words. */
  seen(kind: string): readonly (readonly string[])[] {
    return readFileSync(this.file, 'utf8')
      .split('\n')
      .map((line) => line.split(' '))
      .filter(([first]) => first === kind);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 3 });
  }
}
