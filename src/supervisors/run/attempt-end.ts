import type {
  AttemptRequest,
  AttemptResult,
  AttemptSettlement,
} from '../../actors/behaviours/behaviour.ts';
import type { AbortReason } from '../../actors/worker.ts';
import type { ErrorInfo } from '../../core/errors.ts';
import { errorInfo } from '../../core/errors.ts';
import type { TaskRow } from '../../journal/run-state.ts';
import type { MemoryChange, RecordBody } from '../../journal/record.ts';
import { keptLetter } from '../../journal/dead-letters.ts';
import { decideCommit } from '../../memory/propose.ts';
import type { WorkEnd } from '../../policies/balance.ts';
import { qualifiedKey } from '../../workflow/model.ts';
import { noteResponse } from './adapt.ts';
import type { RunCore } from './core.ts';
import { releasePermit, roundOf } from './dispatch.ts';
import { foreseeWritten } from './foresight.ts';
import { noteAttempt } from './attempt-notes.ts';
import { countLocks } from './locks-held.ts';
import { attemptFailed } from './recovery.ts';
import { endTask, succeedTask } from './task-end.ts';
import { leave, verdictOf } from './verdict.ts';
import { closeExpansion } from './close-member.ts';

/** From a settled attempt to a verdict: decide, append, apply, tell the worker. */

type Success = {
  readonly result: AttemptResult;
  /** The attempt that it came from. */
  readonly request: AttemptRequest | undefined;
};

/** An attempt is over. */
export function attemptSettled(core: RunCore, id: string, end: AttemptEnd): void {
  const request = core.live.get(id)?.request;
  const row = core.ledger.state.tasks.get(id);
  if (!letGo(core, id, end) || !row) return;
  const isOfThisRound = request?.iteration === roundOf(core, id).iteration;
  if (!isOfThisRound) ofLastRound(core, row, end.settlement);
  else if (row.phase === 'ended' || row.phase === 'completed') tooLate(core, row, end.settlement);
  else settled(core, row, end);
}

/** How an attempt ended, and what it had been asked to end for. */
export interface AttemptEnd {
  readonly settlement: AttemptSettlement;
  readonly aborted: AbortReason | undefined;
}

/** A result that comes after its time limit is refused; at a shutdown nothing but success is decided. */
function settled(core: RunCore, row: TaskRow, { settlement, aborted }: AttemptEnd): void {
  const isRefused = aborted === 'timeout' || aborted === 'deadline';
  const isSuccess = settlement.status === 'succeeded';
  if (isSuccess && !isRefused) return succeeded(core, row, settlement.result);
  if (core.halted === 'shutdown') return leave(core, row.id, 'cancelled');
  if (isSuccess) core.ledger.commit([lateRecord(core, row, settlement)]);
  const failure = { error: errorOf(settlement, aborted), aborted };
  if (core.hedges?.carries(row.id, failure)) return;
  core.hedges?.lose(row.id);
  attemptFailed(core, row, failure);
}

/** An attempt of a run that cannot go on has stopped. */
export function abandonedSettled(core: RunCore, id: string, settlement: AttemptSettlement): void {
  letGo(core, id, { settlement, aborted: 'shutdown' });
  if (core.holding === 0) core.self.send({ type: 'work.stopped' });
}

/** An attempt has run longer than its timeout. */
export function attemptTimedOut(core: RunCore, id: string, attempt: number): void {
  const live = core.live.get(id);
  if (!live?.holding || live.request?.attempt !== attempt) return;
  live.worker?.send({ type: 'attempt.abort', reason: 'timeout' });
}

/** A task's deadline has passed: it ends, whatever it is doing. */
export function taskDeadline(core: RunCore, id: string): void {
  const live = core.live.get(id);
  const phase = core.ledger.state.tasks.get(id)?.phase;
  if (phase === 'ended' || phase === 'completed') return;
  if (live?.holding) return live.worker?.send({ type: 'attempt.abort', reason: 'deadline' });
  core.services.governor.send({ type: 'permit.withdraw', scope: core.run, id });
  endTask(core, id, { outcome: 'timed_out', reason: 'deadline_exceeded' });
  closeExpansion(core, id);
}

/** Permit, timers and the agent's books; false when no attempt of this task was running. */
function letGo(core: RunCore, id: string, end: AttemptEnd): boolean {
  const { settlement } = end;
  const live = core.live.get(id);
  if (!live?.holding || !live.request) return false;
  live.holding = false;
  core.holding--;
  countLocks(core, core.book.task(id), -1);
  live.attemptTimer?.cancel();
  live.attemptTimer = undefined;
  live.calls?.close();
  live.calls = undefined;
  releasePermit(core, id);
  const { services, book } = core;
  const began = core.ledger.state.tasks.get(id)?.dispatchedAt ?? services.clock.now();
  const desk = services.agent(book.workflow.name, live.request.agent.id);
  const now = services.clock.now();
  desk.ended(settlement.status === 'succeeded', now - began);
  noteAttempt(core, id, { ...end, durationMs: now - began });
  if (settlement.status === 'succeeded') noteResponse(core, id, now - began);
  if (live.instance !== undefined) {
    const end = workEnd(settlement);
    desk.left(live.instance, { end, durationMs: now - began, now });
    live.avoid = end === 'failed' ? live.instance : undefined;
    live.instance = undefined;
  }
  return true;
}

function workEnd(settlement: AttemptSettlement): WorkEnd {
  if (settlement.status === 'succeeded') return 'succeeded';
  return settlement.error.errorClass === 'cancelled' ? 'withdrawn' : 'failed';
}

function lateRecord(
  { live }: RunCore,
  { id, attempt }: TaskRow,
  settlement: AttemptSettlement,
): RecordBody {
  const kept = settlement.status === 'succeeded' ? keptLetter(settlement.result.output) : {};
  const late = live.get(id)?.request?.attempt ?? attempt;
  return { type: 'result.late', task: id, attempt: late, ...kept };
}

/** The task was sent back while this attempt still ran: it belongs to a round that is over. */
function ofLastRound(core: RunCore, row: TaskRow, settlement: AttemptSettlement): void {
  if (settlement.status === 'succeeded') {
    core.ledger.commit([lateRecord(core, row, settlement)]);
  }
  leave(core, row.id, 'cancelled');
  // The wish of the new round met the permit of the last one; it is made again.
  if (row.phase === 'waiting' && core.frontier.isReady(row.id)) core.agenda.ready.push(row.id);
}

/** The task's end was decided while the attempt still ran: its result is counted and dropped. */
function tooLate(core: RunCore, row: TaskRow, settlement: AttemptSettlement): void {
  if (settlement.status === 'succeeded') {
    core.ledger.commit([lateRecord(core, row, settlement)]);
  }
  leave(core, row.id, row.phase === 'completed' ? 'succeeded' : verdictOf(row.outcome));
}

function succeeded(core: RunCore, row: TaskRow, result: AttemptResult): void {
  const { id } = row;
  const request = core.live.get(id)?.request;
  const committed = successRecords(core, row, { result, request });
  if ('error' in committed) {
    return attemptFailed(core, row, {
      error: committed.error,
      aborted: undefined,
      reason: 'write_refused',
    });
  }
  succeedTask(core, id, {
    output: result.output,
    records: committed.records,
    attempt: request?.attempt,
    onDurable: () => leave(core, id, 'succeeded'),
  });
  if (result.changes.length === 0) return;
  const task = core.book.task(id);
  const keys = result.changes.map(({ key }) => qualifiedKey(task.agent, key));
  foreseeWritten(core, task, keys);
}

/** What a result writes to memory, as records; or why it may not. */
export function successRecords(
  core: RunCore,
  row: TaskRow,
  { result, request }: Success,
): { records: readonly RecordBody[] } | { error: ErrorInfo } {
  if (result.changes.length === 0 || !request) return { records: [] };
  const task = core.book.task(row.id);
  const decision = decideCommit(
    core.ledger.memory,
    {
      task: row.id,
      agent: task.agent,
      op: request.operation,
      base: request.memory.revision,
      priority: core.priorities.get(row.id) ?? task.priority,
      changes: result.changes.map((change): MemoryChange => ({
        ...change,
        key: qualifiedKey(task.agent, change.key),
      })),
    },
    core.rules,
  );
  return 'refused' in decision
    ? { error: errorInfo(decision.refused) }
    : { records: decision.records };
}

function errorOf(settlement: AttemptSettlement, aborted: AbortReason | undefined): ErrorInfo {
  if (aborted === 'timeout' || aborted === 'deadline') {
    return {
      code: 'TRP_ATTEMPT_TIMEOUT',
      message:
        aborted === 'timeout'
          ? 'The attempt ran longer than its timeout.'
          : 'The deadline has passed.',
      errorClass: 'timeout',
    };
  }
  if (settlement.status === 'failed') return settlement.error;
  return {
    code: 'TRP_ATTEMPT_CANCELLED',
    message: 'The attempt was cancelled.',
    errorClass: 'cancelled',
  };
}
