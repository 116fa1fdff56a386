/** What was used, in all. */
export interface Spend {
  input_tokens: number;
  output_tokens: number;
  /** In whatever unit the calls report it. */
  cost: number;
}

/** What may be spent; undefined: no bound. */
export interface SpendCaps {
  /** Input and output together. */
  readonly tokens?: number | undefined;
  readonly cost?: number | undefined;
}

/** The part of a budget that was used up. */
export type BudgetCap = 'tokens' | 'cost' | 'time';

/** Nothing spent. */
export function noSpend(): Spend {
  return { input_tokens: 0, output_tokens: 0, cost: 0 };
}

/** Adds to what was spent; what is not a number from 0 counts as nothing. */
export function addSpend(sum: Spend, more: { readonly [Key in keyof Spend]?: unknown }): void {
  sum.input_tokens += amountOf(more.input_tokens);
  sum.output_tokens += amountOf(more.output_tokens);
  sum.cost += amountOf(more.cost);
}

/** Whether anything was spent. */
export function isSpend({ input_tokens, output_tokens, cost }: Spend): boolean {
  return input_tokens > 0 || output_tokens > 0 || cost > 0;
}

/** The cap that is reached, tokens first; undefined: none. */
export function capReached(caps: SpendCaps | undefined, spend: Spend): BudgetCap | undefined {
  const { tokens = Infinity, cost = Infinity } = caps ?? {};
  if (spend.input_tokens + spend.output_tokens >= tokens) return 'tokens';
  return spend.cost >= cost ? 'cost' : undefined;
}

function amountOf(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : 0;
}
