/** How one thing stands: fine, usable with a drawback, or in the way of runs. */
export type CheckStatus = 'ok' | 'warn' | 'fail';

/** One line of what `troupe doctor` finds. */
export interface Check {
  /** What was looked at. */
  readonly name: string;
  readonly status: CheckStatus;
  /** What was found. */
  readonly detail: string;
  /** What belongs to the detail, one line each. */
  readonly list?: readonly string[];
  /** What to do about it; absent: nothing. */
  readonly hint?: string;
}

/** Whether nothing is in the way. */
export function isHealthy(checks: readonly Check[]): boolean {
  return checks.every(({ status }) => status !== 'fail');
}
