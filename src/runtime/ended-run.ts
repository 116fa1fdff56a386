import { TroupeError } from '../core/errors.ts';
import { RunControlDesk } from './run-controls.ts';
import type { RunEvent, RunHandle } from './api.ts';
import type { RunReport } from './report.ts';

/** A run that has succeeded already: nothing happens any more, its report is all there is. */
export class EndedRun extends RunControlDesk implements RunHandle {
  readonly id: string;
  private readonly last: RunReport;

  constructor(report: RunReport) {
    super();
    this.id = report.run_id;
    this.last = report;
  }

  events(): AsyncIterable<RunEvent> {
    return noEvents();
  }

  report(): RunReport {
    return this.last;
  }

  outcome(): Promise<RunReport> {
    return Promise.resolve(this.last);
  }

  carryOut(): Promise<void> {
    return Promise.reject(new TroupeError('TRP_RUN_ENDED', `Run ${this.id} has ended.`));
  }

  cancel(): Promise<RunReport> {
    return this.outcome();
  }
}

async function* noEvents(): AsyncGenerator<RunEvent> {}
