import type { RunEvent, RunHandle } from './api.ts';
import type { RunReport } from './report.ts';

/** A run that has succeeded already: nothing happens any more, its report is all there is. */
export class EndedRun implements RunHandle {
  readonly id: string;
  private readonly last: RunReport;

  constructor(report: RunReport) {
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

  cancel(): Promise<RunReport> {
    return this.outcome();
  }
}

async function* noEvents(): AsyncGenerator<RunEvent> {}
