import type { JournalRecord } from '../journal/record.ts';
import type { GroupRow } from '../journal/run-state.ts';

/**
 * What a group is doing. `initiation`: no member has been dispatched. `monitoring`: members work. `completion`: its
 * soft deadline has passed or it has fallen back, so that it waits for no more than it needs, or for one member after
 * another. `synchronization`: it was released and is being joined. `ended`: it has its output.
 */
export type GroupPhase = 'initiation' | 'monitoring' | 'completion' | 'synchronization' | 'ended';

/** The phase of a group by its row; a group without one has not begun. */
export function phaseOf(row: GroupRow | undefined): GroupPhase {
  if (row?.phase === 'ended') return 'ended';
  if (row?.phase === 'released') return 'synchronization';
  if (row?.view === undefined) return 'initiation';
  return row.fellBack || row.softened ? 'completion' : 'monitoring';
}

const phases: { readonly [type: string]: GroupPhase } = {
  'group.opened': 'monitoring',
  'barrier.softened': 'completion',
  'barrier.fell_back': 'completion',
  'barrier.released': 'synchronization',
  'group.ended': 'ended',
};

/** The phase that a record brings its group into; undefined: it changes none. */
export function phaseAfter({ type }: Pick<JournalRecord, 'type'>): GroupPhase | undefined {
  return phases[type];
}
