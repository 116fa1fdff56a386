import type { RunState } from '../journal/fold.ts';
import type { JournalRecord } from '../journal/record.ts';
import type { RunCore } from '../supervisors/run/core.ts';
import type { TaskGraph } from '../planning/graph.ts';
import { TroupeError } from '../core/errors.ts';
import type { ErrorInfo } from '../core/errors.ts';
import type { RunEvent, RunHandle } from './api.ts';
import { EventStream } from './event-stream.ts';
import type { RunReport } from './report.ts';
import { reportOf } from './reporting.ts';

/** A run that this process owns, from its handle's side. */
export class LiveRun implements RunHandle {
  readonly id: string;
  /** Where the bus hears of it. */
  readonly subject: string;
  private readonly streams = new Set<EventStream<RunEvent>>();
  private readonly ended: Promise<RunReport>;
  private core: RunCore | undefined;
  private settle: (
    result: { readonly report: RunReport } | { readonly error: TroupeError },
  ) => void = () => undefined;
  private over = false;

  constructor(id: string, subject: string) {
    this.id = id;
    this.subject = subject;
    this.ended = new Promise((resolve, reject) => {
      this.settle = (result) =>
        'report' in result ? resolve(result.report) : reject(result.error);
    });
    // Whoever asks for the outcome sees the rejection; it must not end the process when nobody does.
    this.ended.catch(() => undefined);
  }

  events(): AsyncIterable<RunEvent> {
    const stream = new EventStream<RunEvent>(() => this.streams.delete(stream));
    if (this.over) stream.end();
    else this.streams.add(stream);
    return stream;
  }

  report(): RunReport {
    const { state, graph } = this.parts();
    return reportOf(state, graph, this.core?.services.clock.now());
  }

  outcome(): Promise<RunReport> {
    return this.ended;
  }

  cancel(by = 'user'): Promise<RunReport> {
    this.core?.self.send({ type: 'run.cancel', by });
    return this.ended;
  }

  /** Asks the run to stop where it is; resolves when nothing of it runs any more. */
  async interrupt(): Promise<void> {
    if (!this.over) this.core?.self.send({ type: 'run.interrupt' });
    await this.ended.catch(() => undefined);
  }

  /** @internal */
  attach(core: RunCore): void {
    this.core = core;
  }

  /** @internal */
  recorded(record: JournalRecord): void {
    if (this.streams.size > 0) this.emit({ ...record, run: this.id });
  }

  /** @internal */
  emit(event: RunEvent): void {
    for (const stream of this.streams) stream.push(event);
  }

  /** @internal */
  finished(): void {
    this.close({ report: this.report() });
  }

  /** @internal */
  interrupted(): void {
    this.close({
      error: new TroupeError('TRP_CLOSED', `Run ${this.id} was interrupted; it can be resumed.`, {
        place: this.id,
      }),
    });
  }

  /** @internal */
  faulted({ code, message, hint }: ErrorInfo): void {
    this.close({
      error: new TroupeError(code, message, {
        place: this.id,
        ...(hint === undefined ? {} : { hint }),
      }),
    });
  }

  private close(result: Parameters<LiveRun['settle']>[0]): void {
    this.over = true;
    this.settle(result);
    for (const stream of this.streams) stream.end();
  }

  private parts(): { state: RunState; graph: TaskGraph } {
    if (!this.core) throw new TroupeError('TRP_INTERNAL', `Run ${this.id} has not been opened.`);
    return { state: this.core.ledger.state, graph: this.core.graph };
  }
}
