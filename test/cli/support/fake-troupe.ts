import type { Bus } from '../../../src/bus/bus.ts';
import { TroupeError } from '../../../src/core/errors.ts';
import { deadLettersOf } from '../../../src/journal/dead-letters.ts';
import type { DeadLetter } from '../../../src/journal/dead-letters.ts';
import type { JournalRecord } from '../../../src/journal/record.ts';
import type { RunEvent, RunHandle, RunSummary, Troupe } from '../../../src/runtime/api.ts';
import type { RunReport } from '../../../src/runtime/report.ts';
import { RunControlDesk } from '../../../src/runtime/run-controls.ts';
import type { RunVerb } from '../../../src/supervisors/run/run-verb.ts';
import { runReport } from './reports.ts';

/** A run that a test moves by hand: it pushes events and says how the run ends. */
export class FakeRun extends RunControlDesk implements RunHandle {
  readonly verbs: RunVerb[] = [];
  readonly id = 'run-0000000000000001';
  readonly cancelledBy: string[] = [];
  current: RunReport = runReport({ status: 'running', reason: 'in_progress' });
  private readonly queue: RunEvent[] = [];
  private wake: () => void = () => undefined;
  private over = false;
  private settle: { resolve(report: RunReport): void; reject(error: unknown): void } | undefined;
  private readonly ended = new Promise<RunReport>(
    (resolve, reject) => (this.settle = { resolve, reject }),
  );

  constructor() {
    super();
    this.ended.catch(() => undefined);
  }

  push(event: RunEvent): void {
    this.queue.push(event);
    this.wake();
  }

  end(parts: Partial<RunReport>): void {
    this.current = runReport(parts);
    this.stop(() => this.settle?.resolve(this.current));
  }

  breakOff(error: unknown): void {
    this.stop(() => this.settle?.reject(error));
  }

  async *events(): AsyncIterable<RunEvent> {
    for (;;) {
      for (let event = this.queue.shift(); event; event = this.queue.shift()) yield event;
      if (this.over) return;
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }

  async carryOut(verb: RunVerb): Promise<void> {
    this.verbs.push(verb);
  }

  report(): RunReport {
    return this.current;
  }

  outcome(): Promise<RunReport> {
    return this.ended;
  }

  async cancel(by = ''): Promise<RunReport> {
    this.cancelledBy.push(by);
    return this.ended;
  }

  private stop(settle: () => void): void {
    this.over = true;
    this.wake();
    settle();
  }
}

/** A Troupe with one run and a list of stored ones. */
export class FakeTroupe implements Troupe {
  readonly node = 'node-1';
  readonly live = new FakeRun();
  readonly asked: unknown[][] = [];
  stored: readonly RunSummary[] = [];
  journal: readonly JournalRecord[] = [];
  closed = 0;

  async run(...args: Parameters<Troupe['run']>): Promise<RunHandle> {
    this.asked.push(['run', ...args]);
    return this.live;
  }

  async submit(...args: Parameters<Troupe['submit']>): Promise<string> {
    this.asked.push(['submit', ...args]);
    return this.live.id;
  }

  async follow(run: string): Promise<RunHandle> {
    this.asked.push(['follow', run]);
    return this.live;
  }

  async drain(withinMs?: number): Promise<void> {
    this.asked.push(['drain', withinMs]);
  }

  async resume(run: string): Promise<RunHandle> {
    this.asked.push(['resume', run]);
    return this.live;
  }

  async show(run: string): Promise<RunReport> {
    if (run !== this.live.id) throw new TroupeError('TRP_RUN_NOT_FOUND', `no run ${run}`);
    return this.live.report();
  }

  async records(): Promise<readonly JournalRecord[]> {
    return this.journal;
  }

  async deadLetters(): Promise<readonly DeadLetter[]> {
    return deadLettersOf(this.journal);
  }

  async runs(): Promise<readonly RunSummary[]> {
    return this.stored;
  }

  async cancel(run: string): Promise<void> {
    this.asked.push(['cancel', run]);
    this.live.end({ status: 'cancelled', reason: 'cancelled_by_user' });
  }

  get bus(): Bus {
    throw new TroupeError('TRP_BUS_CLOSED', 'no bus');
  }

  async memory(): Promise<never> {
    throw new TroupeError('TRP_BUS_CLOSED', 'no bus');
  }

  async resolveConflict(...args: Parameters<Troupe['resolveConflict']>): Promise<void> {
    this.asked.push(['resolveConflict', ...args]);
  }

  async answer(...args: Parameters<Troupe['answer']>): Promise<void> {
    this.asked.push(['answer', ...args]);
  }

  async pause(...args: Parameters<Troupe['pause']>): Promise<void> {
    this.asked.push(['pause', ...args]);
  }

  async skip(...args: Parameters<Troupe['skip']>): Promise<void> {
    this.asked.push(['skip', ...args]);
  }

  async retry(...args: Parameters<Troupe['retry']>): Promise<RunHandle | undefined> {
    this.asked.push(['retry', ...args]);
    return this.live;
  }

  async fork(...args: Parameters<Troupe['fork']>): Promise<RunHandle> {
    this.asked.push(['fork', ...args]);
    return this.live;
  }

  async ask(): Promise<null> {
    return null;
  }

  async close(): Promise<void> {
    this.closed++;
    if (this.live.current.status === 'running')
      this.live.breakOff(new TroupeError('TRP_CLOSED', 'interrupted'));
  }
}
