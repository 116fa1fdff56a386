import { SimulatedClock } from '../../../src/core/simulated-clock.ts';
import { Screen } from '../../../src/cli/screen.ts';
import type { StandingBlock } from '../../../src/cli/screen.ts';
import type { Shell, ShellSignal, TerminalSize } from '../../../src/cli/shell.ts';
import type { Troupe, TroupeOptions } from '../../../src/runtime/api.ts';

export interface FakeShellOptions {
  readonly cwd?: string;
  readonly env?: Shell['env'];
  readonly terminal?: TerminalSize;
  readonly outTerminal?: TerminalSize;
  readonly input?: string;
  readonly openTroupe?: (options: TroupeOptions) => Promise<Troupe>;
}

/** A shell that remembers what was written and lets a test raise signals. */
export class FakeShell implements Shell {
  stdout = '';
  stderr = '';
  readonly exits: number[] = [];
  readonly screen = new Screen({
    out: (text) => (this.stdout += text),
    err: (text) => (this.stderr += text),
    outIsTerminal: false,
  });
  readonly colours = { out: false, err: false };
  readonly env: Shell['env'];
  readonly cwd: string;
  readonly clock = new SimulatedClock(1_000_000);
  private readonly options: FakeShellOptions;
  private readonly listeners = new Map<ShellSignal, Set<() => void>>();

  constructor(options: FakeShellOptions = {}) {
    this.options = options;
    this.env = options.env ?? {};
    this.cwd = options.cwd ?? '/nowhere';
  }

  out(text: string): void {
    this.screen.out(text);
  }

  err(text: string): void {
    this.screen.err(text);
  }

  stand(block: StandingBlock): () => void {
    return this.screen.stand(block);
  }

  terminal(): TerminalSize | undefined {
    return this.options.terminal;
  }

  outColumns(): number {
    return this.options.outTerminal?.columns ?? 100;
  }

  outIsTerminal(): boolean {
    return this.options.outTerminal !== undefined;
  }

  async readInput(): Promise<string> {
    return this.options.input ?? '';
  }

  onSignal(signal: ShellSignal, fn: () => void): () => void {
    const listeners = this.listeners.get(signal) ?? new Set();
    this.listeners.set(signal, listeners.add(fn));
    return () => listeners.delete(fn);
  }

  raise(signal: ShellSignal): void {
    for (const fn of this.listeners.get(signal) ?? []) fn();
  }

  listening(): number {
    return [...this.listeners.values()].reduce((count, { size }) => count + size, 0);
  }

  exit(code: number): void {
    this.exits.push(code);
  }

  openTroupe(options: TroupeOptions): Promise<Troupe> {
    if (!this.options.openTroupe) throw new Error('no Troupe is expected here');
    return this.options.openTroupe(options);
  }

  /** Standard output as one JSON value. */
  json(): { [key: string]: unknown } {
    return JSON.parse(this.stdout) as { [key: string]: unknown };
  }
}
