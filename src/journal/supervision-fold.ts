import type { AttemptFailed } from './record.ts';
import { groupRow, taskRow } from './run-state.ts';
import type { RunState, TaskRow } from './run-state.ts';
import type { SupervisionRecord } from './supervision-records.ts';

/** Restarts of a group that are remembered: no document may allow more within a window. */
const maxRemembered = 1_000;

type Appliers = {
  readonly [Type in SupervisionRecord['type']]: (
    state: RunState,
    record: Extract<SupervisionRecord, { type: Type }>,
  ) => void;
};

/** Appliers of the records of supervision; see fold.ts. */
export const supervisionAppliers: Appliers = {
  'run.interrupted': (state) => {
    state.interrupted = true;
  },
  'group.restarted': (state, { group, members, due }) => {
    const row = groupRow(state, group);
    const times = [...(row.restarts?.times ?? []), due].slice(-maxRemembered);
    row.restarts = { times: times.toSorted((a, b) => a - b), streak: 0, escalated: false };
    for (const id of members) taskRow(state, id).attemptBase++;
  },
  'group.escalated': (state, { group }) => {
    const row = groupRow(state, group);
    row.restarts = { ...(row.restarts ?? { times: [], streak: 0 }), escalated: true };
  },
  'letter.dead': (state) => {
    state.deadLetters++;
  },
};

/** An attempt was running when the whole process died; one that was stopped in good order has killed nobody. */
export function noteTaken(state: RunState, row: TaskRow): void {
  if (!state.interrupted) row.lost = (row.lost ?? 0) + 1;
}

/** An attempt failed; if its process, thread or host died with it, that is remembered. */
export function noteLost(row: TaskRow, { error }: Pick<AttemptFailed, 'error'>): void {
  if (error.errorClass === 'lost') row.lost = (row.lost ?? 0) + 1;
}
