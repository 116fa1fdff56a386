import type { ErrorInfo } from '../core/errors.ts';
import type { Census, GroupOutcome, Reason, RunOutcome, TaskOutcome } from '../core/outcome.ts';
import type { Plain, PlainObject } from '../core/plain.ts';
import type { Workflow } from '../workflow/model.ts';
import type { RestartHistory } from '../policies/restart.ts';
import { emptyAdaptation } from './adaptation-rows.ts';
import type { AdaptationRows } from './adaptation-rows.ts';
import type { BarrierRow } from './barrier-row.ts';
import type { ConflictRecorded, RunStarted } from './record.ts';
import { emptyHedges } from './policy-rows.ts';
import type { BreakerCounts, HedgeRows } from './policy-rows.ts';
import type { PauseRow, RecoveryRow } from './recovery-rows.ts';
import { emptySpend } from './spend-rows.ts';
import type { SpendRows } from './spend-rows.ts';

/**
 * A run's state as the fold of its journal.
 *
 * Invariants:
 * 1. `apply` of fold.ts is the only writer, live and on resume alike.
 * 2. The state depends on the records and nothing else: no clock, no random, no I/O.
 * 3. A row exists only for a task or group that something has happened to; all others wait.
 * 4. An ended row changes only by `run.reopened`, `task.sent_back` or `result.late`.
 */
export interface RunState {
  run: string;
  engine: string;
  status: 'created' | 'running' | 'cancelling' | 'ended';
  workflow: Workflow | undefined;
  source: string;
  input: PlainObject;
  seed: number;
  simulated: boolean;
  startedAt: number;
  /** What deadlines count from: the start, or the newest reopening. */
  activeSince: number;
  endedAt: number | undefined;
  outcome: RunOutcome | undefined;
  reason: Reason | undefined;
  outputs: Plain;
  /** Sequence number of the last record. */
  seq: number;
  /** Time of the last record. */
  lastAt: number;
  /** Times in which nobody carried the run: from the last record before a takeover to the takeover. */
  readonly pauses: Pause[];
  epoch: number;
  cancelledBy: string | undefined;
  /** The run whose results it goes on from; undefined: it is no fork. */
  forked?: RunStarted['forked'] | undefined;
  /** Nothing new is dispatched; undefined: the run is not paused. */
  paused?: PauseRow | undefined;
  readonly tasks: Map<string, TaskRow>;
  readonly groups: Map<string, GroupRow>;
  readonly conflicts: ConflictRows;
  readonly adaptation: AdaptationRows;
  readonly spend: SpendRows;
  /** What open breakers have done to tasks, by breaker. */
  readonly breakers: Map<string, BreakerCounts>;
  readonly hedges: HedgeRows;
  /** Groups, and tasks in none, whose workspaces have been merged; false: that has failed. */
  readonly mergedWorkspaces: Map<string, boolean>;
  /** Its owner was stopping in good order at the last record. */
  interrupted: boolean;
  /** Letters that could not be delivered, late results aside. */
  deadLetters: number;
}

/** A time in which nobody carried the run, wall milliseconds. */
export interface Pause {
  readonly from: number;
  readonly to: number;
}

/** The conflicts of a run. All of them stand in its journal. */
export interface ConflictRows {
  recorded: number;
  /** Those that a person has to decide, by the number of their record. */
  readonly open: Map<number, ConflictRecorded>;
}

/** All that has happened to one task. */
export interface TaskRow {
  readonly id: string;
  /** `completed`: it has an output that its checkers have not accepted yet; `parked`: it waits for a word of a person. */
  phase: 'waiting' | 'running' | 'backing_off' | 'parked' | 'completed' | 'ended';
  outcome: TaskOutcome | undefined;
  reason: Reason | undefined;
  /** Attempts dispatched so far, over all iterations. */
  attempt: number;
  /** Attempts that do not count against the retry policy any more. */
  attemptBase: number;
  iteration: number;
  /** First dispatch. */
  startedAt: number | undefined;
  /** First dispatch of those attempts that count against the retry policy. */
  roundStartedAt: number | undefined;
  /** Dispatch of the newest attempt. */
  dispatchedAt: number | undefined;
  finishedAt: number | undefined;
  /** Time in which attempts that have ended held permits; no backoff, no pause. */
  heldMs: number;
  retryAt: number | undefined;
  output: Plain;
  error: ErrorInfo | undefined;
  feedback: Plain;
  steps: Record<string, Plain> | undefined;
  /** What an expanding task was split into. */
  items: readonly Plain[] | undefined;
  late: number;
  /** Times that whatever carried an attempt died under it; absent: never. */
  lost?: number;
  /** What its failures have led to; made on the first one. */
  recovery?: RecoveryRow | undefined;
  /** The first of the attempts whose end nobody knows, because their owner died; worker hosts may still be at them. */
  unsettled?: number | undefined;
  /** The attempt that gave the output, where that is not the newest; see hedging. */
  wonBy?: number | undefined;
}

/** All that has happened to one group, or to the members of one expanded task. */
export interface GroupRow extends BarrierRow {
  readonly id: string;
  phase: 'open' | 'released' | 'ended';
  deadline: number | undefined;
  /** Members that had shown progress, per extension granted. */
  readonly extensions: (readonly string[])[];
  fellBack: boolean;
  outcome: GroupOutcome | undefined;
  reason: Reason | undefined;
  /** When waiting for members was over. */
  releasedAt: number | undefined;
  endedAt: number | undefined;
  output: Plain;
  census: Census | undefined;
  /** Members in the order in which their results were merged. */
  readonly contributions: Set<string>;
  /** Revision of the view that all members read; undefined: none was dispatched. */
  view: number | undefined;
  /** Its time was over when it was released. */
  timedOut: boolean;
  /** How often its members were begun again together; absent: never. */
  restarts?: RestartHistory;
}

/** The state before the first record. */
export function emptyRunState(): RunState {
  return {
    run: '',
    engine: '',
    status: 'created',
    workflow: undefined,
    source: '',
    input: {},
    seed: 0,
    simulated: false,
    startedAt: 0,
    activeSince: 0,
    endedAt: undefined,
    outcome: undefined,
    reason: undefined,
    outputs: null,
    seq: 0,
    lastAt: 0,
    pauses: [],
    epoch: 0,
    cancelledBy: undefined,
    tasks: new Map(),
    groups: new Map(),
    conflicts: { recorded: 0, open: new Map() },
    adaptation: emptyAdaptation(),
    spend: emptySpend(),
    breakers: new Map(),
    hedges: emptyHedges(),
    mergedWorkspaces: new Map(),
    interrupted: false,
    deadLetters: 0,
  };
}

/** The row of a task, made on first use. */
export function taskRow(state: RunState, id: string): TaskRow {
  const known = state.tasks.get(id);
  if (known) return known;
  const row: TaskRow = {
    id,
    phase: 'waiting',
    outcome: undefined,
    reason: undefined,
    attempt: 0,
    attemptBase: 0,
    iteration: 1,
    startedAt: undefined,
    roundStartedAt: undefined,
    dispatchedAt: undefined,
    finishedAt: undefined,
    heldMs: 0,
    retryAt: undefined,
    output: null,
    error: undefined,
    feedback: null,
    steps: undefined,
    items: undefined,
    late: 0,
  };
  state.tasks.set(id, row);
  return row;
}

/** The row of a group (or of an expanding task's members), made on first use. */
export function groupRow(state: RunState, id: string): GroupRow {
  const known = state.groups.get(id);
  if (known) return known;
  const row: GroupRow = {
    id,
    phase: 'open',
    deadline: undefined,
    extensions: [],
    fellBack: false,
    outcome: undefined,
    reason: undefined,
    releasedAt: undefined,
    endedAt: undefined,
    output: null,
    census: undefined,
    contributions: new Set(),
    view: undefined,
    timedOut: false,
  };
  state.groups.set(id, row);
  return row;
}
