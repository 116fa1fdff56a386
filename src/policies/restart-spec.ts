/** Who else is restarted when one child dies: nobody, all of them, or those that were started after it. */
export type RestartStrategy = 'one_for_one' | 'one_for_all' | 'rest_for_one';

/** After which ends a child is started again: after every one, after a failure, never. */
export type RestartType = 'permanent' | 'transient' | 'temporary';

/** How often, and how soon, a supervisor restarts. The words are those of OTP's supervisors. */
export interface RestartSpec {
  readonly strategy: RestartStrategy;
  /** Restarts within any window of `withinMs`; one more is an escalation. Default 3. */
  readonly maxRestarts: number;
  /** Default 30 s: agents are slow, so OTP's five seconds would never be reached. */
  readonly withinMs: number;
  /** Wait before the first restart; doubled with each that follows. Default 500 ms. */
  readonly initialMs: number;
  /** Longest wait. Default 60 s. */
  readonly maxMs: number;
  /** Random share of the wait, 0..1. Default 0.5. */
  readonly jitter: number;
  /** Time without a restart after which waits begin at `initialMs` again. Default: the mean of the shortest and the longest wait. */
  readonly quietMs: number;
}

const initialMs = 500;
const maxMs = 60_000;

/** OTP's intensity and period, fitted to steps that take seconds. */
export const defaultRestart: RestartSpec = {
  strategy: 'one_for_one',
  maxRestarts: 3,
  withinMs: 30_000,
  initialMs,
  maxMs,
  jitter: 0.5,
  quietMs: (initialMs + maxMs) / 2,
};
