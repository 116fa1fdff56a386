import type { RunHandle, Troupe } from '../runtime/api.ts';
import type { RunReport } from '../runtime/report.ts';
import { exitCodes } from './exit-codes.ts';
import type { ProgressView } from './progress/view.ts';
import { wrapped } from './render/width.ts';
import type { Shell } from './shell.ts';

/** What a signal acts on. */
export interface Interrupted {
  readonly troupe: Troupe;
  readonly handle: RunHandle;
  readonly view: ProgressView;
}

/**
 * What signals do to a run in the foreground. The first SIGINT cancels it, the second ends the process at
 * once and leaves the run to be resumed; SIGTERM and SIGHUP close gently and leave it to be resumed as well.
 */
export class Interruption {
  exitCode: number | undefined;
  /** Settles when a signal has closed the Troupe; never otherwise. */
  private readonly closed: Promise<void>;
  private readonly shell: Shell;
  private readonly run: Interrupted;
  private readonly stopListening: readonly (() => void)[];
  private settleClosed: () => void = () => undefined;

  constructor(shell: Shell, run: Interrupted) {
    this.shell = shell;
    this.run = run;
    this.closed = new Promise((resolve) => (this.settleClosed = resolve));
    this.stopListening = [
      shell.onSignal('SIGINT', () => this.onInterrupt()),
      shell.onSignal('SIGTERM', () => this.onTerminate()),
      shell.onSignal('SIGHUP', () => this.onTerminate()),
    ];
  }

  /** The outcome of the run, or how it stood when a signal closed the Troupe, which may make the outcome fail. */
  async orClosed(outcome: Promise<RunReport>): Promise<RunReport> {
    const closed = this.closed.then(() => this.run.handle.report());
    const ended = outcome.catch((thrown: unknown) => {
      if (this.exitCode === exitCodes.terminated) return closed;
      throw thrown;
    });
    return Promise.race([ended, closed]);
  }

  dispose(): void {
    for (const stop of this.stopListening) stop();
  }

  private onInterrupt(): void {
    const { handle, view } = this.run;
    if (this.exitCode !== undefined) return this.leave();
    this.exitCode = exitCodes.interrupted;
    const text =
      'Cancelling the run gently. Press Ctrl-C again to leave at once; it can be resumed then.';
    view.note(wrapped(text, this.shell.terminal()?.columns ?? Number.POSITIVE_INFINITY).join('\n'));
    handle.cancel('SIGINT').catch(() => undefined);
  }

  private leave(): void {
    this.run.view.leave(`Left. To go on: troupe resume ${this.run.handle.id}`);
    this.shell.exit(this.exitCode ?? exitCodes.interrupted);
  }

  private onTerminate(): void {
    const { handle, troupe, view } = this.run;
    if (this.exitCode !== undefined) return;
    this.exitCode = exitCodes.terminated;
    view.note(`Closing. To go on: troupe resume ${handle.id}`);
    troupe.close().then(this.settleClosed, this.settleClosed);
  }
}
