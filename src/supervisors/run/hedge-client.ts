import type {
  AttemptRequest,
  AttemptSettlement,
  CallPort,
  Progress,
  RemoteTerms,
} from '../../actors/behaviours/behaviour.ts';
import type { AttemptClient } from '../../actors/pool.ts';
import type { Plain } from '../../core/plain.ts';
import { AttemptCalls } from './attempt-calls.ts';
import type { RunCore } from './core.ts';
import type { LiveCalls } from './provider-calls.ts';
import { remoteTerms } from './remote-terms.ts';

/** Whom a hedge tells of itself. */
export interface HedgeRace {
  /** Keeps the calls of an attempt, to be refused and closed with it. */
  take(request: AttemptRequest, calls: LiveCalls): void;
  /** It has ended. */
  report(task: string, attempt: number, settlement: AttemptSettlement): void;
}

/** The run's side of a hedge that runs. */
export class HedgeClient implements AttemptClient {
  private readonly core: RunCore;
  private readonly hedges: HedgeRace;
  private readonly request: AttemptRequest;
  private ownCalls: AttemptCalls | undefined;

  constructor(core: RunCore, hedges: HedgeRace, request: AttemptRequest) {
    this.core = core;
    this.hedges = hedges;
    this.request = request;
  }

  get calls(): CallPort {
    if (!this.ownCalls) {
      this.ownCalls = new AttemptCalls(this.core, this.request);
      this.hedges.take(this.request, this.ownCalls);
    }
    return this.ownCalls;
  }

  get remote(): RemoteTerms {
    return remoteTerms(this.core, this.request);
  }

  settled(raw: AttemptSettlement): void {
    const settlement = this.core.services.secrets?.redact(raw) ?? raw;
    this.hedges.report(this.request.task, this.request.attempt, settlement);
  }

  progressed(raw: Progress): void {
    const { core } = this;
    const progress = core.services.secrets?.redact(raw) ?? raw;
    const { task } = this.request;
    const live = core.live.get(task);
    if (live) live.progressed = true;
    core.services.progressed(core.run, task, progress);
  }

  stepDone(name: string, value: Plain): Promise<void> {
    const { task } = this.request;
    return new Promise((acknowledge) =>
      this.core.self.send({ type: 'step.done', task, name, value, acknowledge }),
    );
  }
}
