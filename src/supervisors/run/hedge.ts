import type { AttemptRequest, AttemptSettlement } from '../../actors/behaviours/behaviour.ts';
import type { AbortReason, WorkerPort } from '../../actors/worker.ts';
import { seedOf } from '../../core/random.ts';
import type { Spend } from '../../policies/budget.ts';
import { Hedging } from '../../policies/hedging.ts';
import type { TaskRow } from '../../journal/run-state.ts';
import type { HedgeEnded } from '../../journal/policy-records.ts';
import type { HedgeSpec } from '../../workflow/hedge.ts';
import { demandOf } from './advance.ts';
import { successRecords } from './attempt-end.ts';
import { leave } from './verdict.ts';
import { breakerResult } from './breakers.ts';
import { budgetError } from './budget.ts';
import type { RunCore } from './core.ts';
import { abortError } from './dispatch.ts';
import { workerLeft } from './groups.ts';
import { hedgeName } from './hedge-name.ts';
import { HedgeClient } from './hedge-client.ts';
import type { Hedge, Watched } from './hedged-attempt.ts';
import { countLocks } from './locks-held.ts';
import { isPaused } from './parking.ts';
import { attemptFailed } from './recovery.ts';
import type { HedgeDesk, HedgedFailure, SettledAttempt } from './reliability-ports.ts';
import { hasEnded, succeedTask } from './task-end.ts';

/**
 * The hedges of one run. A hedge has a worker, permits, a seed and a number of its own, and the operation id of the
 * attempt that it stands beside. The first good result is the task's.
 *
 * Invariants:
 * 1. A task has at most one hedge; it begins only while the attempt that it stands beside runs.
 * 2. A hedge that has begun counts among what the run holds until it has settled.
 * 3. Of the two, at most one gives the task its output, and only that one's memory changes are applied.
 * 4. If both fail, one failure is decided, when the second of them has settled.
 */
class Hedges implements HedgeDesk {
  private readonly core: RunCore;
  private readonly policy: Hedging;
  private readonly hedges = new Map<string, Hedge>();
  private readonly watched = new Map<string, Watched>();
  private readonly port: WorkerPort;
  /** Attempts that have lost, as `task attempt`: what they spend from now on is told apart. */
  private readonly losers = new Set<string>();

  constructor(core: RunCore) {
    this.core = core;
    const { hedges, tasks } = core.ledger.state;
    this.policy = new Hedging({ begun: tasks.size, hedged: hedges.started });
    this.port = {
      begin: (task) => this.begin(task),
      abort: (task, reason) => this.stop(task, reason),
      report: (task, settlement, aborted) =>
        core.self.send({ type: 'hedge.settled', task, settlement, aborted }),
      fault: (worker, error) => core.port.fault(worker, error),
    };
  }

  /** An attempt of the task begins. */
  attemptBegan(id: string, attempt: number): void {
    if (!this.specOf(id)) return;
    this.policy.attemptBegun();
    this.unwatch(id);
    const since = this.core.services.clock.now();
    this.watched.set(id, { attempt, since, used: 0, timer: undefined });
    this.arm(id);
  }

  /** An attempt of the task, which is no hedge, has settled. */
  attemptOver(id: string, isSuccess: boolean, durationMs: number): void {
    this.unwatch(id);
    const hedge = this.hedges.get(id);
    if (hedge && !hedge.request) this.withdraw(hedge);
    if (isSuccess) this.noteSuccess(id, durationMs);
  }

  /** An attempt has run so long that it is to be hedged, if the policy allows it. */
  due(id: string, attempt: number): void {
    const { core } = this;
    const watched = this.watched.get(id);
    const spec = this.specOf(id);
    if (!watched || !spec || watched.attempt !== attempt) return;
    if (core.halted || watched.used >= spec.max || !this.runs(id, attempt)) return;
    const now = core.services.clock.now();
    const afterMs = this.policy.afterMs(core.book.task(id).agent, spec) ?? Infinity;
    if (watched.used === 0 && watched.since + afterMs > now) return this.arm(id);
    // A hedge of the attempt before this one may still be ending.
    if (this.hedges.has(id) || !this.policy.isWithinShare(spec)) return this.later(id, spec);
    this.hedges.set(id, { task: id, of: attempt, startedAt: now, lost: false });
    this.wish(id);
  }

  /** Permits have come. @param name as hedge-name.ts has it */
  granted(task: string): void {
    const { core } = this;
    const hedge = this.hedges.get(task);
    const beside = core.live.get(task)?.request;
    const isWanted = hedge && !hedge.request && this.runs(task, hedge.of);
    if (isWanted && beside && this.mayBegin(task)) return this.start(hedge, beside);
    if (!hedge?.request) this.hedges.delete(task);
    this.release(task);
    const spec = isWanted ? this.specOf(task) : undefined;
    if (spec) this.later(task, spec);
  }

  /** Whether the task goes on with its hedge although its other attempt has failed. */
  carries(id: string, failure: HedgedFailure): boolean {
    const hedge = this.hedges.get(id);
    if (!hedge?.request || hedge.lost || this.core.halted) return false;
    if (failure.aborted && failure.aborted !== 'timeout') return false;
    hedge.failure = failure;
    return true;
  }

  /** Whether the task's own attempt has failed, and the task goes on with its hedge alone. */
  isAlone(id: string): boolean {
    const hedge = this.hedges.get(id);
    return hedge?.failure !== undefined && !hedge.lost;
  }

  /** Asks the hedge of a task to end for the same reason as its other attempt; there is none after it. */
  end(id: string, reason: AbortReason): void {
    const hedge = this.hedges.get(id);
    const watched = this.watched.get(id);
    if (watched) watched.used = Infinity;
    if (hedge && !hedge.lost) hedge.worker?.send({ type: 'attempt.abort', reason });
  }

  /** The task is over for this round, or its attempt is: what is left of its hedge is not wanted any more. */
  lose(id: string): void {
    const hedge = this.hedges.get(id);
    if (!hedge || hedge.lost) return;
    if (!hedge.request) return this.withdraw(hedge);
    hedge.lost = true;
    this.losers.add(`${id} ${hedge.request.attempt}`);
    this.core.ledger.commit([this.endRecord(hedge, 'lost', hedge.calls?.total)]);
    hedge.worker?.send({ type: 'attempt.abort', reason: 'hedge_lost' });
  }

  /** A hedge is over. */
  settled(task: string, end: SettledAttempt): void {
    const { core } = this;
    const hedge = this.hedges.get(task);
    if (!hedge?.request || !this.letGo(hedge, end)) return;
    const row = core.ledger.state.tasks.get(task);
    const isOfThisRound = row?.phase === 'running' && row.iteration === hedge.request.iteration;
    if (hedge.lost || !row || !isOfThisRound) this.tooLate(hedge, end.settlement);
    else if (!this.won(hedge, row, end)) this.failed(hedge, row, end);
    this.dismiss(hedge);
  }

  /** Asks every hedge to end, with the attempts of the run. */
  abortAll(reason: 'cancelled' | 'deadline' | 'shutdown'): void {
    for (const hedge of this.hedges.values()) {
      if (hedge.request) hedge.worker?.send({ type: 'attempt.abort', reason });
      else this.withdraw(hedge);
    }
  }

  /** The run cannot go on: pools are told directly. */
  abandon(): void {
    for (const { task, request } of this.hedges.values()) if (request) this.stop(task, 'shutdown');
  }

  /** A hedge of a run that cannot go on has stopped. */
  abandoned(task: string, end: SettledAttempt): void {
    const hedge = this.hedges.get(task);
    if (hedge) this.letGo(hedge, end);
  }

  /** Whether the attempt has lost against another one at the same work. */
  hasLost(task: string, attempt: number): boolean {
    return this.losers.has(`${task} ${attempt}`);
  }

  /** Nothing of it is armed any more. */
  close(): void {
    for (const { timer } of this.watched.values()) timer?.cancel();
    this.watched.clear();
    for (const { timer } of this.hedges.values()) timer?.cancel();
  }

  /** What the calls of the hedge's attempt are kept by. */
  take(request: AttemptRequest, calls: NonNullable<Hedge['calls']>): void {
    const hedge = this.hedges.get(request.task);
    if (hedge?.request?.attempt === request.attempt) hedge.calls = calls;
    else calls.close();
  }

  /** The hedge of a task has told how it ended, to its worker. */
  report(task: string, attempt: number, settlement: AttemptSettlement): void {
    const hedge = this.hedges.get(task);
    if (hedge?.request?.attempt !== attempt) return;
    hedge.worker?.send({ type: 'attempt.settled', settlement });
  }

  /** Whether that attempt of the task runs, and the task has not ended. */
  private runs(id: string, attempt: number): boolean {
    const live = this.core.live.get(id);
    return live?.holding === true && live.request?.attempt === attempt && !hasEnded(this.core, id);
  }

  private specOf(id: string): HedgeSpec | undefined {
    return this.core.book.task(id).hedge;
  }

  private arm(id: string): void {
    const watched = this.watched.get(id);
    const spec = this.specOf(id);
    if (!watched || !spec) return;
    const afterMs = this.policy.afterMs(this.core.book.task(id).agent, spec);
    if (afterMs !== undefined) this.armAt(id, watched.since + afterMs);
  }

  private armAt(id: string, at: number): void {
    const watched = this.watched.get(id);
    if (!watched) return;
    const { attempt } = watched;
    const { deadlines, clock } = this.core.services;
    watched.timer?.cancel();
    watched.timer = deadlines.at(Math.max(at, clock.now()), () =>
      this.core.self.send({ type: 'hedge.due', task: id, attempt }),
    );
  }

  /** It cannot be hedged now; perhaps when as much time has passed again. */
  private later(id: string, spec: HedgeSpec): void {
    const afterMs = this.policy.afterMs(this.core.book.task(id).agent, spec) ?? 0;
    this.armAt(id, this.core.services.clock.now() + Math.max(1000, afterMs));
  }

  private unwatch(id: string): void {
    this.watched.get(id)?.timer?.cancel();
    this.watched.delete(id);
  }

  private noteSuccess(id: string, durationMs: number): void {
    const { agent } = this.core.book.task(id);
    if (!this.policy.succeeded(agent, durationMs)) return;
    for (const [other, { timer }] of this.watched)
      if (!timer && this.core.book.task(other).agent === agent) this.arm(other);
  }

  /** Its permits come after those of every task that waits. */
  private wish(id: string): void {
    const { core } = this;
    const demand = demandOf(core, core.book.task(id));
    core.services.governor.send({
      type: 'permits.request',
      scope: core.run,
      wishes: [{ id: hedgeName(id), demand, priority: 1, rank: 0 }],
    });
  }

  private withdraw(hedge: Hedge): void {
    const id = hedgeName(hedge.task);
    this.hedges.delete(hedge.task);
    this.core.services.governor.send({ type: 'permit.withdraw', scope: this.core.run, id });
  }

  private release(task: string): void {
    const id = hedgeName(task);
    this.core.services.governor.send({ type: 'permit.release', scope: this.core.run, id });
  }

  private mayBegin(id: string): boolean {
    const { core } = this;
    const task = core.book.task(id);
    if (core.halted || isPaused(core) || budgetError(core, task.agent)) return false;
    return core.breakers?.letThroughBeside(task, hedgeName(id)) ?? true;
  }

  private start(hedge: Hedge, beside: AttemptRequest): void {
    const { core, policy } = this;
    const { task } = hedge;
    const { state } = core.ledger;
    const row = state.tasks.get(task);
    const attempt = (row?.attempt ?? beside.attempt) + 1;
    hedge.request = {
      ...beside,
      attempt,
      steps: row?.steps ?? beside.steps,
      seed: seedOf(state.seed, task, beside.iteration, attempt),
      ...this.workspaceOf(beside, attempt),
    };
    hedge.startedAt = core.services.clock.now();
    policy.hedgeBegun();
    const watched = this.watched.get(task);
    if (watched) watched.used++;
    core.ledger.commit([{ type: 'hedge.started', task, attempt, of: hedge.of }]);
    core.holding++;
    countLocks(core, core.book.task(task), 1);
    this.startWorker(hedge, attempt);
  }

  private workspaceOf(
    { task, workspace }: AttemptRequest,
    attempt: number,
  ): Pick<AttemptRequest, 'workspace'> {
    const { run, services } = this.core;
    // Only to ask for a path makes a folder, so it is not asked for nothing.
    if (!workspace || !services.workspaces) return {};
    const path = services.workspaces.pathOf({ run, task, attempt });
    return { workspace: { ...workspace, path } };
  }

  private startWorker(hedge: Hedge, attempt: number): void {
    const { core, port } = this;
    const { task } = hedge;
    const { group } = core.book.task(task);
    const owner = group === undefined ? undefined : core.groups.get(group);
    const crew = owner?.crew ?? core.crew;
    const id = `${hedgeName(task)}#${attempt}`;
    crew.send({ type: 'child.start', id, src: 'worker', input: { task, port } });
    hedge.worker = crew.getSnapshot().children.get(id);
    if (owner && hedge.worker) owner.live++;
  }

  /** Called by the worker when it enters `running`. */
  private begin(task: string): void {
    const { core } = this;
    const hedge = this.hedges.get(task);
    if (!hedge?.request) return;
    const { services, book } = core;
    const { agent } = hedge.request;
    const desk = services.agent(book.workflow.name, agent.id);
    const { instances = 1 } = agent;
    const now = services.clock.now();
    const avoid = core.live.get(task)?.instance;
    if (instances > 1) hedge.instance = desk.assign(instances, { now, avoid });
    const { instance } = hedge;
    const request = instance === undefined ? hedge.request : { ...hedge.request, instance };
    this.armTimeout(hedge);
    desk.began();
    services.pool(agent).send({
      type: 'attempt.begin',
      key: this.key(task),
      behaviour: services.behaviour(agent),
      request,
      client: new HedgeClient(core, this, request),
    });
  }

  /** It may run as long as any attempt. */
  private armTimeout(hedge: Hedge): void {
    const { core } = this;
    const { timeoutMs } = core.book.task(hedge.task);
    if (timeoutMs === undefined) return;
    const forMs = timeoutMs * core.ledger.state.adaptation.timeoutFactor;
    hedge.timer = core.services.deadlines.at(core.services.clock.now() + forMs, () =>
      hedge.worker?.send({ type: 'attempt.abort', reason: 'timeout' }),
    );
  }

  /** Called by the worker when it enters `aborting`. */
  private stop(task: string, reason: Parameters<typeof abortError>[1]): void {
    const hedge = this.hedges.get(task);
    if (!hedge?.request) return;
    const error = abortError(task, reason);
    hedge.calls?.refuse(error);
    const pool = this.core.services.pool(hedge.request.agent);
    pool.send({ type: 'attempt.abort', key: this.key(task), error });
  }

  private key(task: string): string {
    return `${this.core.run}/${hedgeName(task)}`;
  }

  /** Permits, timers, books; false when it has been let go already. */
  private letGo(hedge: Hedge, { settlement, aborted }: SettledAttempt): boolean {
    const { core } = this;
    const { task, request, instance } = hedge;
    if (!request || this.hedges.get(task) !== hedge) return false;
    this.hedges.delete(task);
    core.holding--;
    countLocks(core, core.book.task(task), -1);
    hedge.timer?.cancel();
    hedge.calls?.close();
    this.release(task);
    core.breakers?.over(hedgeName(task), breakerResult(settlement, aborted));
    const now = core.services.clock.now();
    const durationMs = now - hedge.startedAt;
    const desk = core.services.agent(core.book.workflow.name, request.agent.id);
    desk.ended(settlement.status === 'succeeded', durationMs);
    if (instance !== undefined) {
      const end = settlement.status === 'succeeded' ? 'succeeded' : 'withdrawn';
      desk.left(instance, { end, durationMs, now });
    }
    return true;
  }

  /** Takes its result for the task's, if it has one that may be taken. */
  private won(hedge: Hedge, row: TaskRow, { settlement, aborted }: SettledAttempt): boolean {
    const { core } = this;
    const { request } = hedge;
    const isRefused = aborted === 'timeout' || aborted === 'deadline';
    if (settlement.status !== 'succeeded' || isRefused || !request) return false;
    const made = successRecords(core, row, { result: settlement.result, request });
    if ('error' in made) return false;
    const loser = core.live.get(row.id);
    if (loser?.holding) this.losers.add(`${row.id} ${hedge.of}`);
    const ended = this.endRecord(hedge, 'won', loser?.calls?.total);
    this.noteSuccess(row.id, core.services.clock.now() - hedge.startedAt);
    succeedTask(core, row.id, {
      output: settlement.result.output,
      records: [ended, ...made.records],
      attempt: request.attempt,
      onDurable: () => {
        const other = core.live.get(row.id);
        if (!other?.holding) return leave(core, row.id, 'succeeded');
        other.worker?.send({ type: 'attempt.abort', reason: 'hedge_lost' });
      },
    });
    return true;
  }

  /** It has no result. The other attempt goes on; or it has failed before, and that is decided now. */
  private failed(hedge: Hedge, row: TaskRow, { settlement, aborted }: SettledAttempt): void {
    const { core } = this;
    core.ledger.commit([this.endRecord(hedge, 'failed', hedge.calls?.total)]);
    if (settlement.status === 'succeeded' && hedge.request)
      this.noteLate(hedge.task, hedge.request.attempt);
    if (core.halted === 'shutdown') return hedge.failure && leave(core, row.id, 'cancelled');
    if (hedge.failure) {
      const isStop = aborted !== undefined && aborted !== 'timeout';
      return attemptFailed(core, row, isStop ? { ...hedge.failure, aborted } : hedge.failure);
    }
    this.again(row.id);
  }

  /** The attempt goes on without its hedge: it may have another one. */
  private again(id: string): void {
    const watched = this.watched.get(id);
    const spec = this.specOf(id);
    if (!watched || !spec || watched.used >= spec.max) return;
    const afterMs = this.policy.afterMs(this.core.book.task(id).agent, spec) ?? 0;
    this.armAt(id, this.core.services.clock.now() + Math.max(1, afterMs));
  }

  private tooLate(hedge: Hedge, settlement: AttemptSettlement): void {
    const { request } = hedge;
    if (!hedge.lost) this.core.ledger.commit([this.endRecord(hedge, 'lost', hedge.calls?.total)]);
    if (settlement.status === 'succeeded' && request) this.noteLate(hedge.task, request.attempt);
  }

  private noteLate(task: string, attempt: number): void {
    this.core.ledger.commit([{ type: 'result.late', task, attempt }]);
  }

  private dismiss({ task, worker }: Hedge): void {
    const { core } = this;
    worker?.send({ type: 'verdict.cancelled' });
    const { group } = core.book.task(task);
    if (group !== undefined && worker) workerLeft(core, group);
  }

  private endRecord(
    { task, of, request }: Hedge,
    result: HedgeEnded['result'],
    wasted: Spend | undefined,
  ): HedgeEnded {
    return {
      type: 'hedge.ended',
      task,
      attempt: request?.attempt ?? 0,
      of,
      result,
      ...(wasted && { wasted: { ...wasted } }),
    };
  }
}

/** Keeps the hedges of a run whose document asks for any. */
export function beginHedges(core: RunCore): void {
  if (core.book.workflow.tasks.some(({ hedge }) => hedge)) core.hedges = new Hedges(core);
}
