import type { ErrorInfo } from '../../core/errors.ts';
import type { Plain } from '../../core/plain.ts';
import type { Assignment, TaskParked } from '../../journal/recovery-record.ts';
import type { RecordBody } from '../../journal/record.ts';
import type { TaskRow } from '../../journal/run-state.ts';
import type { RunCore } from './core.ts';
import { hasEnded } from './task-end.ts';

/** How a task comes to its next attempt, or to a stop where it waits for a word. */

/** An attempt, dispatched or not. */
export type Tried = Pick<TaskRow, 'id' | 'attempt' | 'attemptBase' | 'roundStartedAt'>;

/** The next attempt, and what has to be in the journal before it is due. */
export interface SecondTry {
  readonly error: ErrorInfo;
  /** Wall milliseconds. */
  readonly at: number;
  readonly records?: readonly RecordBody[];
  readonly next?: Assignment | undefined;
  /** Runs when it is in the journal. */
  readonly onDurable?: () => void;
}

/** Another attempt is due at a time. */
export function retryAt(
  core: RunCore,
  { id, attempt }: Tried,
  { error, at, records = [], next, onDurable }: SecondTry,
): void {
  const partial = partialOf(core, id);
  const failed = {
    type: 'attempt.failed',
    task: id,
    attempt,
    error,
    retryAt: at,
    ...(next && { next }),
    ...(partial !== undefined && { partial }),
  } as const;
  decided(core, id, {
    records: [...records, failed],
    onDurable: () => {
      onDurable?.();
      const live = core.live.get(id);
      if (!live) return;
      const due = live.hurry ? core.services.clock.now() : at;
      live.hurry = false;
      live.retryTimer = core.services.deadlines.at(due, () =>
        core.self.send({ type: 'retry.due', task: id }),
      );
    },
  });
}

/** What a task waits with. */
export interface Parking {
  readonly error: ErrorInfo;
  readonly reason: TaskParked['reason'];
  /** In the journal before it, and after it. */
  readonly records?: readonly RecordBody[];
  readonly after?: readonly RecordBody[];
  /** Runs when it is in the journal. */
  readonly onDurable?: () => void;
}

/** The task waits for a word, and holds nothing. */
export function park(
  core: RunCore,
  { id, attempt }: Tried,
  { error, reason, records = [], after = [], onDurable }: Parking,
): void {
  const partial = partialOf(core, id);
  const live = core.live.get(id);
  live?.retryTimer?.cancel();
  if (live) live.retryTimer = undefined;
  const parked = {
    type: 'task.parked',
    task: id,
    attempt,
    reason,
    error,
    ...(partial !== undefined && { partial }),
  } as const;
  decided(core, id, { records: [...records, parked, ...after], onDurable });
}

function decided(
  core: RunCore,
  id: string,
  {
    records,
    onDurable,
  }: { readonly records: readonly RecordBody[]; readonly onDurable: (() => void) | undefined },
): void {
  const own = core.live.get(id);
  if (own) own.undecided = true;
  core.ledger.commit(records, () => {
    const live = core.live.get(id);
    if (!live || hasEnded(core, id)) return;
    live.undecided = false;
    live.worker?.send({ type: 'verdict.retry' });
    onDurable?.();
    if (live.isRungOver) {
      live.isRungOver = false;
      core.self.send({ type: 'rung.expired', task: id });
    }
  });
}

function partialOf(core: RunCore, id: string): Plain | undefined {
  const live = core.live.get(id);
  const partial = live?.partial;
  if (live) delete live.partial;
  return partial;
}
