import type { RecordBody } from '../../journal/record.ts';
import { scheduleBarrier, scheduleBound } from './barrier-deadlines.ts';
import type { LiveGroup, RunCore } from './core.ts';

/** Moves the times of all barriers that wait: while a run was paused, nobody could have come. */
export function shiftBarriers(core: RunCore, byMs: number): void {
  if (byMs <= 0) return;
  const moved = [...core.groups.values()].flatMap((live) => shifted(core, live, byMs));
  if (moved.length > 0) core.ledger.commit(moved);
}

function shifted(core: RunCore, live: LiveGroup, byMs: number): readonly RecordBody[] {
  const row = core.ledger.state.groups.get(live.id);
  if (row?.phase !== 'open') return [];
  const records: RecordBody[] = [];
  if (row.deadline !== undefined) {
    const deadline = row.deadline + byMs;
    records.push({ type: 'barrier.armed', group: live.id, deadline });
    scheduleBarrier(core, live, deadline);
  }
  for (const bound of ['soft', 'hard'] as const) {
    const before = bound === 'soft' ? row.softDeadline : row.hardDeadline;
    if (before === undefined || (bound === 'soft' && row.softened)) continue;
    const deadline = before + byMs;
    records.push({ type: 'barrier.armed', group: live.id, deadline, bound });
    scheduleBound(core, live, { bound, deadline });
  }
  return records;
}
