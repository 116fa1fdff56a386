import { addSpend, noSpend } from '../policies/budget.ts';
import type { BudgetCap, Spend } from '../policies/budget.ts';
import type { AttemptSpent } from './record.ts';

/** What the attempts of a run have spent. */
export interface SpendRows {
  readonly total: Spend;
  readonly byAgent: Map<string, Spend>;
  /** Caps that were reached, by agent; the run's own under the empty text. */
  readonly exhausted: Map<string, BudgetCap>;
}

/** Nothing spent, no cap reached. */
export function emptySpend(): SpendRows {
  return { total: noSpend(), byAgent: new Map(), exhausted: new Map() };
}

/** Counts what an attempt has spent. */
export function applySpent({ total, byAgent }: SpendRows, record: AttemptSpent): void {
  const ofAgent = byAgent.get(record.agent) ?? noSpend();
  byAgent.set(record.agent, ofAgent);
  addSpend(ofAgent, record);
  addSpend(total, record);
}
