import type {
  AttemptRequest,
  AttemptSettlement,
  CallPort,
  Progress,
  RemoteTerms,
} from '../../actors/behaviours/behaviour.ts';
import type { AttemptClient } from '../../actors/pool.ts';
import type { AbortReason, WorkerPort } from '../../actors/worker.ts';
import { TroupeError, errorInfo } from '../../core/errors.ts';
import type { ErrorCode } from '../../core/errors.ts';
import { operationId } from '../../core/ids.ts';
import type { Plain } from '../../core/plain.ts';
import { seedOf } from '../../core/random.ts';
import type { TaskRow } from '../../journal/run-state.ts';
import type { RecordBody } from '../../journal/record.ts';
import type { AgentSpec, TaskSpec } from '../../workflow/model.ts';
import { agentOf, degradedTask } from './assignment.ts';
import { bounded, pastOf } from './attempt-past.ts';
import { holdBack, isPaused } from './parking.ts';
import { AttemptCalls } from './attempt-calls.ts';
import { startClock } from './attempt-clock.ts';
import { stopUnpaid } from './budget.ts';
import { liveTask } from './core.ts';
import { remoteTerms } from './remote-terms.ts';
import type { LiveTask, RunCore } from './core.ts';
import { countLocks } from './locks-held.ts';
import { endTask, hasEnded } from './task-end.ts';
import { memberDispatched } from './groups.ts';
import { hedgedTask } from './hedge-name.ts';
import { inputOf } from './scope.ts';
import { tellSettled } from './settlements.ts';

/** From a permit to a running attempt. */

const defaultEstimateMs = 60_000;

/** Permits have come: their tasks are dispatched, in order, as soon as the run is surely this process's. */
export function dispatch(core: RunCore, ids: readonly string[]): void {
  if (
    !core.halted &&
    core.ledger.inDoubt(() => core.self.send({ type: 'permits.granted', tasks: ids }))
  )
    return;
  const requests = ids
    .map((id) => (beginsHedge(core, id) ? undefined : prepare(core, id)))
    .filter((request) => request !== undefined);
  if (requests.length === 0) return;
  core.ledger.commit(requests.map(startedRecord));
  for (const request of requests) start(core, request);
}

/** The other side of the workers of a run. */
export function workerPort(core: () => RunCore): WorkerPort {
  return {
    begin: (task) => beginAttempt(core(), task),
    abort: (task, reason) => abortAttempt(core(), task, reason),
    report: (task, settlement, aborted) => tellSettled(core(), { task, settlement, aborted }),
    fault: (worker, error) =>
      core().self.send({
        type: hedgedTask(worker) === undefined ? 'attempt.settled' : 'hedge.settled',
        task: hedgedTask(worker) ?? taskOfWorker(worker),
        settlement: faulted(error),
        aborted: undefined,
      }),
  };
}

/** Gives a task's permit back. */
export function releasePermit(core: RunCore, id: string): void {
  core.plan?.left(id, core.services.clock.now());
  core.services.governor.send({ type: 'permit.release', scope: core.run, id });
}

/** Whether the permits are those of a hedge, which begins with them if it is still wanted. */
function beginsHedge({ hedges }: RunCore, id: string): boolean {
  const task = hedges && hedgedTask(id);
  if (task !== undefined) hedges?.granted(task);
  return task !== undefined;
}

function prepare(core: RunCore, id: string): AttemptRequest | undefined {
  if (
    core.halted ||
    hasEnded(core, id) ||
    stopUnpaid(core, id) ||
    keepsBack(core, id) ||
    core.breakers?.letThrough(core.book.task(id)) === false
  ) {
    releasePermit(core, id);
    return undefined;
  }
  try {
    return requestOf(core, core.book.task(id));
  } catch (error) {
    releasePermit(core, id);
    core.breakers?.over(id, { end: 'withdrawn' });
    endTask(core, id, { outcome: 'failed', reason: 'input_unresolvable', error: errorInfo(error) });
    return undefined;
  }
}

/** Permits may come for what was asked for before the run was paused. */
function keepsBack(core: RunCore, id: string): boolean {
  if (!isPaused(core)) return false;
  holdBack(core, [id]);
  return true;
}

function requestOf(core: RunCore, task: TaskSpec): AttemptRequest {
  const { id } = task;
  const { state, memory } = core.ledger;
  const row = roundOf(core, id);
  const attempt = row.attempt + 1;
  const view =
    (task.group === undefined ? undefined : core.groups.get(task.group)?.view) ?? memory.view();
  return {
    run: core.run,
    task: id,
    operation: operationId(core.run, id, row.iteration),
    attempt,
    iteration: row.iteration,
    agent: agentFor(core, task),
    ...(row.unsettled === undefined ? {} : { unsettled: row.unsettled }),
    ...pastOf(core, task),
    input: inputOf(core, degradedTask(core, task), view),
    feedback: row.feedback,
    steps: row.steps ?? {},
    memory: view,
    reads: task.reads,
    seed: seedOf(state.seed, id, row.iteration, attempt),
    baseDir: core.book.workflow.baseDir,
    ...workspaceOf(core, task, attempt),
    estimateMs:
      task.estimate?.midMs ?? Math.min(defaultEstimateMs, (task.timeoutMs ?? Infinity) / 2),
  };
}

/** A task may name another pool than its agent. */
function agentFor(core: RunCore, task: TaskSpec): AgentSpec {
  const spec = agentOf(core, task);
  const { pool } = task;
  return pool ? { ...spec, pool } : spec;
}

function workspaceOf(
  { run, services, ledger }: RunCore,
  { id, workspace }: TaskSpec,
  attempt: number,
): Pick<AttemptRequest, 'workspace'> {
  if (!workspace || !services.workspaces || ledger.state.simulated) return {};
  const path = services.workspaces.pathOf({ run, task: id, attempt });
  return { workspace: { path, ...workspace } };
}

/** A member belongs to its task's iteration: a new round is new work, with operation ids of its own. */
export function roundOf(
  core: RunCore,
  id: string,
): Pick<TaskRow, 'attempt' | 'iteration' | 'feedback' | 'steps'> & { readonly unsettled?: number } {
  const { tasks } = core.ledger.state;
  const row = tasks.get(id);
  const { iteration = 1, feedback = null } = tasks.get(splitTaskId(core, id) ?? id) ?? {};
  return {
    attempt: row?.attempt ?? 0,
    iteration,
    feedback,
    steps: row?.steps,
    ...(row?.unsettled !== undefined && { unsettled: row.unsettled }),
  };
}

/** The task that a member, or an aggregation of members, was made for; undefined: it is a task of its own. */
function splitTaskId({ book }: RunCore, id: string): string | undefined {
  const group = book.aggregates(id);
  return book.member(id)?.parent.id ?? (group === undefined ? undefined : book.expanded(group)?.id);
}

function startedRecord({ task, attempt, iteration, assigned }: AttemptRequest): RecordBody {
  return { type: 'task.started', task, attempt, iteration, ...(assigned && { by: assigned }) };
}

function start(core: RunCore, request: AttemptRequest): void {
  const { task: id } = request;
  const task = core.book.task(id);
  const { group } = task;
  const live = liveTask(core, id);
  live.request = request;
  live.holding = true;
  core.plan?.started(id, core.services.clock.now());
  live.progressed = false;
  live.lockTimer?.cancel();
  live.lockTimer = undefined;
  core.holding++;
  countLocks(core, task, 1);
  if (group !== undefined) memberDispatched(core, task);
  if (live.worker) live.worker.send({ type: 'dispatch' });
  else startWorker(core, request, group);
}

function startWorker(core: RunCore, request: AttemptRequest, group: string | undefined): void {
  const { task } = request;
  const owner = group === undefined ? undefined : core.groups.get(group);
  const crew = owner?.crew ?? core.crew;
  const id = workerId(request);
  crew.send({ type: 'child.start', id, src: 'worker', input: { task, port: core.port } });
  const worker = crew.getSnapshot().children.get(id);
  liveTask(core, task).worker = worker;
  if (owner && worker) owner.live++;
}

/** A round has a worker of its own: that of the last one may not have heard its verdict yet. */
function workerId({ task, iteration }: AttemptRequest): string {
  return iteration === 1 ? task : `${task}#${iteration}`;
}

/** The task that a worker of this id carries. */
function taskOfWorker(id: string): string {
  return id.replace(/#\d+$/, '');
}

/** Called by the worker when it enters `running`. */
function beginAttempt(core: RunCore, id: string): void {
  const live = core.live.get(id);
  if (!live?.request) return;
  const request = assigned(core, live, live.request);
  const { services } = core;
  const { agent, attempt } = request;
  startClock(core, id, attempt);
  core.hedges?.attemptBegan(id, attempt);
  services.agent(core.book.workflow.name, agent.id).began();
  services.pool(agent).send({
    type: 'attempt.begin',
    key: attemptKey(core, id),
    behaviour: services.behaviour(agent),
    request,
    client: new Client(core, request),
  });
}

/** The request with the instance that it goes to; a retry goes to another than the one that has failed, if it can. */
function assigned(
  { services, book }: RunCore,
  live: LiveTask,
  request: AttemptRequest,
): AttemptRequest {
  const { instances = 1 } = request.agent;
  if (instances === 1) return request;
  const desk = services.agent(book.workflow.name, request.agent.id);
  const instance = desk.assign(instances, { now: services.clock.now(), avoid: live.avoid });
  live.instance = instance;
  return { ...request, instance };
}

/** The run's side of a running attempt; a class, because there is one for every worker. */
class Client implements AttemptClient {
  private readonly core: RunCore;
  private readonly request: AttemptRequest;
  private ownCalls: AttemptCalls | undefined;

  constructor(core: RunCore, request: AttemptRequest) {
    this.core = core;
    this.request = request;
  }

  get calls(): CallPort {
    this.ownCalls ??= this.makeCalls();
    return this.ownCalls;
  }

  get remote(): RemoteTerms {
    return remoteTerms(this.core, this.request);
  }

  settled(raw: AttemptSettlement): void {
    const settlement = this.core.services.secrets?.redact(raw) ?? raw;
    this.core.live.get(this.request.task)?.worker?.send({ type: 'attempt.settled', settlement });
  }

  progressed(raw: Progress): void {
    const { core } = this;
    const progress = core.services.secrets?.redact(raw) ?? raw;
    const { task } = this.request;
    const live = core.live.get(task);
    if (live) live.progressed = true;
    if (live && progress.partial !== undefined) live.partial = bounded(progress.partial);
    core.services.progressed(core.run, task, progress);
  }

  stepDone(name: string, value: Plain): Promise<void> {
    const { core } = this;
    const { task } = this.request;
    return new Promise((resolve) =>
      core.self.send({ type: 'step.done', task, name, value, acknowledge: resolve }),
    );
  }

  /** An attempt that is over, but was abandoned and goes on, is let out no more. */
  private makeCalls(): AttemptCalls {
    const calls = new AttemptCalls(this.core, this.request);
    const live = this.core.live.get(this.request.task);
    if (live?.holding && live.request?.attempt === this.request.attempt) live.calls = calls;
    else calls.close();
    return calls;
  }
}

const abortCodes: Readonly<Record<AbortReason, { code: ErrorCode; text: string }>> = {
  timeout: { code: 'TRP_ATTEMPT_TIMEOUT', text: 'The attempt ran longer than its timeout.' },
  deadline: { code: 'TRP_ATTEMPT_TIMEOUT', text: 'The deadline has passed.' },
  cancelled: { code: 'TRP_ATTEMPT_CANCELLED', text: 'The run was cancelled.' },
  barrier_released: {
    code: 'TRP_ATTEMPT_CANCELLED',
    text: 'The group goes on without this member.',
  },
  group_restarted: {
    code: 'TRP_ATTEMPT_CANCELLED',
    text: 'The group begins again, since another member has failed.',
  },
  barrier_fallback: {
    code: 'TRP_ATTEMPT_CANCELLED',
    text: 'The group falls back to one member at a time.',
  },
  hedge_lost: {
    code: 'TRP_ATTEMPT_CANCELLED',
    text: 'Another attempt at the same work was faster.',
  },
  shutdown: { code: 'TRP_ATTEMPT_CANCELLED', text: 'The process is shutting down.' },
};

/** What an attempt is aborted with. */
export function abortError(place: string, reason: AbortReason): TroupeError {
  const { code, text } = abortCodes[reason];
  const errorClass = code === 'TRP_ATTEMPT_TIMEOUT' ? 'timeout' : 'cancelled';
  return new TroupeError(code, text, { place, errorClass });
}

/** Called by the worker when it enters `aborting`. */
function abortAttempt(core: RunCore, id: string, reason: AbortReason): void {
  const live = core.live.get(id);
  const agent = live?.request?.agent;
  if (!agent) return;
  const error = sharedError(core, reason) ?? abortError(id, reason);
  live?.calls?.refuse(error);
  core.services.pool(agent).send({ type: 'attempt.abort', key: attemptKey(core, id), error });
}

/**
 * What ends every attempt of a run ends all of them with one error: to make one with its stack for each of
 * thousands costs as much as the rest of stopping them.
 */
function sharedError(core: RunCore, reason: AbortReason): TroupeError | undefined {
  if (core.halted !== reason) return undefined;
  if (core.haltError?.reason !== reason)
    core.haltError = { reason, error: abortError(core.run, reason) };
  return core.haltError.error;
}

function attemptKey(core: RunCore, id: string): string {
  return `${core.run}/${id}`;
}

function faulted(error: unknown): AttemptSettlement {
  return {
    status: 'failed',
    error: { ...errorInfo(error), code: 'TRP_INTERNAL', errorClass: 'permanent' },
  };
}
