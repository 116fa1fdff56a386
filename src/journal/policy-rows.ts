import { addSpend, noSpend } from '../policies/budget.ts';
import type { Spend } from '../policies/budget.ts';
import type { BreakerDecided, HedgeEnded, HedgeStarted } from './policy-records.ts';
import { emptyRecovery } from './recovery-rows.ts';
import type { RecoveryRow } from './recovery-rows.ts';

/** What these records change of a task. */
interface CountedTask {
  attempt: number;
  attemptBase: number;
  heldMs: number;
  recovery?: RecoveryRow | undefined;
}

/** What open breakers have done to the tasks of a run, by breaker. */
export interface BreakerCounts {
  waited: number;
  redistributed: number;
  failed: number;
}

/** The further attempts of a run. */
export interface HedgeRows {
  started: number;
  won: number;
  lost: number;
  failed: number;
  /** What attempts have spent that did not win. */
  readonly wasted: Spend;
  /** Those that run, by task: since when, wall milliseconds. */
  readonly running: Map<string, number>;
}

/** No further attempt yet. */
export function emptyHedges(): HedgeRows {
  return { started: 0, won: 0, lost: 0, failed: 0, wasted: noSpend(), running: new Map() };
}

const counted = { wait: 'waited', redistribute: 'redistributed', fail: 'failed' } as const;

/** Notes what an open breaker has done to a task. */
export function applyBreaker(
  rows: Map<string, BreakerCounts>,
  row: CountedTask,
  { breaker, decision, to }: BreakerDecided,
): void {
  const counts = rows.get(breaker) ?? { waited: 0, redistributed: 0, failed: 0 };
  counts[counted[decision]]++;
  rows.set(breaker, counts);
  if (to === undefined) return;
  row.recovery ??= emptyRecovery();
  row.recovery.next = { agent: to };
}

/** Notes a further attempt; it is none that the retry policy counts. */
export function applyHedge(
  rows: HedgeRows,
  row: CountedTask,
  record: HedgeStarted & { readonly at: number },
): void {
  rows.started++;
  rows.running.set(record.task, record.at);
  row.attempt = Math.max(row.attempt, record.attempt);
  row.attemptBase++;
}

/** Notes the end of a further attempt. */
export function applyHedgeEnd(
  rows: HedgeRows,
  row: CountedTask,
  record: HedgeEnded & { readonly at: number },
): void {
  rows[record.result]++;
  if (record.wasted) addSpend(rows.wasted, record.wasted);
  row.heldMs += Math.max(0, record.at - (rows.running.get(record.task) ?? record.at));
  rows.running.delete(record.task);
}
