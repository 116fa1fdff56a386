import type { RunEvent, RunHandle } from '../runtime/api.ts';
import type { RunReport } from '../runtime/report.ts';

/** Notices that a followed run is paused and nothing of it runs: there is nothing left to follow. */
export class PauseWatch {
  /** Settles with how the run stands then; never otherwise. */
  readonly idle: Promise<RunReport>;
  private readonly handle: RunHandle;
  private settle: (report: RunReport) => void = () => undefined;
  private isPaused: boolean;

  constructor(handle: RunHandle) {
    this.handle = handle;
    this.isPaused = handle.report().status === 'paused';
    this.idle = new Promise((resolve) => (this.settle = resolve));
  }

  /** @param running attempts that run after the event. */
  see(event: RunEvent, running: number): void {
    if (event.type === 'run.paused') this.isPaused = true;
    if (event.type === 'run.resumed' || event.type === 'run.cancel_requested')
      this.isPaused = false;
    if (!this.isPaused || running > 0) return;
    const report = this.handle.report();
    if (report.status === 'paused') this.settle(report);
  }
}
