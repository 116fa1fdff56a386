import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { endsWithThisProcess } from '../../../support/ends-with-this-process.ts';

interface Line {
  readonly ready?: boolean;
  readonly acknowledged?: number;
  readonly owning?: boolean;
  readonly done?: boolean;
}

/** A process that writes to a shared memory, and what it has told. */
export class WriterProcess {
  readonly name: string;
  acknowledged = 0;
  owning = false;
  ready = false;
  done = false;
  private readonly child: ChildProcess;
  private readonly exited: Promise<unknown>;
  private errors = '';

  constructor(url: string, name: string, count: number) {
    this.name = name;
    const script = fileURLToPath(new URL('writer.mjs', import.meta.url));
    this.child = spawn(process.execPath, [script, url, name, String(count)], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    endsWithThisProcess(this.child);
    this.exited = once(this.child, 'exit');
    this.child.stderr?.on('data', (data) => (this.errors += String(data)));
    if (this.child.stdout)
      createInterface({ input: this.child.stdout }).on('line', (text) => this.told(text));
  }

  /** Ends it at once, as nothing can prevent. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.exited;
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.child.kill(signal);
  }

  /** Resolves when it has ended by itself; rejects when it did not end well. */
  async ended(): Promise<void> {
    const [code] = (await this.exited) as [number | null];
    if (code !== 0) throw new Error(`writer ${this.name} ended with ${code}:\n${this.errors}`);
  }

  private told(text: string): void {
    const line = JSON.parse(text) as Line;
    this.ready ||= line.ready === true;
    this.done ||= line.done === true;
    this.owning = line.owning ?? this.owning;
    this.acknowledged = line.acknowledged ?? this.acknowledged;
  }
}
