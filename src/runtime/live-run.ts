import type { RunState } from '../journal/run-state.ts';
import type { JournalRecord } from '../journal/record.ts';
import type { Resolution } from '../supervisors/run/resolution.ts';
import type { Dropped } from '../supervisors/run/events.ts';
import { defaultBounds } from '../supervisors/run/run-bounds.ts';
import type { RunCore } from '../supervisors/run/core.ts';
import type { TaskGraph } from '../planning/graph.ts';
import { liveSubject } from '../bus/subjects.ts';
import type { RunMemory } from '../memory/run-memory.ts';
import type { Proposal } from '../memory/propose.ts';
import { refusal } from '../memory/shared/proposal-answer.ts';
import type { ProposalAnswer } from '../memory/shared/proposal-answer.ts';
import { TroupeError } from '../core/errors.ts';
import type { ErrorInfo } from '../core/errors.ts';
import { toPlain } from '../core/plain.ts';
import type { RunEvent, RunHandle } from './api.ts';
import { EventStream } from './event-stream.ts';
import { phaseAfter } from './group-phase.ts';
import type { RunReport } from './report.ts';
import { reportOf } from './reporting.ts';
import { RunControlDesk } from './run-controls.ts';
import type { RunWindow } from './run-window.ts';
import type { RunVerb } from '../supervisors/run/run-verb.ts';

/** A run that this process owns, from its handle's side. */
export class LiveRun extends RunControlDesk implements RunHandle {
  readonly id: string;
  /** What the bus sees of it. */
  readonly window: RunWindow;
  /** Where the bus hears of it. */
  readonly subject: string;
  private readonly streams = new Set<EventStream<RunEvent>>();
  private readonly ended: Promise<RunReport>;
  private core: RunCore | undefined;
  private settle: (
    result: { readonly report: RunReport } | { readonly error: TroupeError },
  ) => void = () => undefined;
  private over = false;
  /** Proposals to its memory that wait for an answer. */
  private proposed = 0;

  constructor(id: string, window: RunWindow) {
    super();
    this.id = id;
    this.window = window;
    this.subject = liveSubject(window.bus.ns, id);
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
    const { core } = this;
    return reportOf(state, graph, {
      now: core?.services.clock.now(),
      tally: core?.tally,
      live: core,
      stuck: core?.stuck,
    });
  }

  outcome(): Promise<RunReport> {
    return this.ended;
  }

  cancel(by = 'user'): Promise<RunReport> {
    this.core?.self.send({ type: 'run.cancel', by });
    return this.ended;
  }

  /** Resolves when the decision about an open conflict is durable; TRP_CONFLICT_UNKNOWN, TRP_RUN_ENDED. */
  resolveConflict(resolution: Resolution): Promise<void> {
    return new Promise((resolve, reject) => {
      const { core } = this;
      if (this.over || !core)
        return reject(new TroupeError('TRP_RUN_ENDED', `Run ${this.id} has ended.`));
      const answer = (error?: TroupeError): void => (error ? reject(error) : resolve());
      core.self.send({ type: 'conflict.resolve', resolution, answer });
    });
  }

  /** @internal */
  carryOut(verb: RunVerb): Promise<void> {
    return new Promise((resolve, reject) => {
      const { core } = this;
      if (this.over || !core)
        return reject(new TroupeError('TRP_RUN_ENDED', `Run ${this.id} has ended.`));
      const answer = (error?: TroupeError): void => (error ? reject(error) : resolve());
      core.self.send({ type: 'verb.asked', verb, answer });
    });
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
    this.window.recorded(record);
    if (this.streams.size === 0) return;
    const phase = phaseAfter(record);
    this.emit({ ...record, run: this.id, ...(phase && { phase }) });
  }

  /** @internal */
  get memory(): RunMemory {
    if (!this.core) throw new TroupeError('TRP_INTERNAL', `Run ${this.id} has not been opened.`);
    return this.core.ledger.memory;
  }

  /** @internal A changeset from outside; answered when it is durable. */
  propose(proposal: Proposal): Promise<ProposalAnswer> {
    const { core } = this;
    if (this.over || !core) return Promise.resolve(refusal(this.ending()));
    const most = core.services.bounds?.proposals ?? defaultBounds.proposals;
    if (this.proposed >= most) {
      const error = tooManyProposals(this.id, most);
      core.self.send({ type: 'letter.dropped', dropped: droppedProposal(proposal, error) });
      return Promise.resolve(refusal(error));
    }
    this.proposed++;
    return new Promise((resolve) => {
      const answer = (given: ProposalAnswer): void => {
        this.proposed--;
        resolve(given);
      };
      core.self.send({ type: 'memory.proposed', proposal, answer });
    });
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

  private ending(): TroupeError {
    return new TroupeError('TRP_RUN_ENDED', `Run ${this.id} takes no changes.`, { place: this.id });
  }

  private parts(): { state: RunState; graph: TaskGraph } {
    if (!this.core) throw new TroupeError('TRP_INTERNAL', `Run ${this.id} has not been opened.`);
    return { state: this.core.ledger.state, graph: this.core.graph };
  }
}

function droppedProposal(
  { agent, op, changes }: Proposal,
  { message: reason }: TroupeError,
): Dropped {
  return { kind: 'overflow', reason, letter: toPlain({ agent, op, changes }) };
}

function tooManyProposals(run: string, most: number): TroupeError {
  const message = `${most} changes to the memory of run ${run} wait for an answer already.`;
  return new TroupeError('TRP_BUS_FULL', message, { place: run, errorClass: 'transient' });
}
