import type { AttemptSettlement } from '../../actors/behaviours/behaviour.ts';
import type { Sample } from '../../actors/monitor.ts';
import type { AbortReason } from '../../actors/worker.ts';
import type { ErrorInfo } from '../../core/errors.ts';
import type { BreakerResult, BreakerState } from '../../policies/breaker.ts';
import type { HealthFigures, HealthState } from '../../policies/health.ts';
import type { AgentSpec, TaskSpec } from '../../workflow/model.ts';
import type { RunBreaker } from './breaker-port.ts';

/** What a run's core knows of breakers, hedges, health and thresholds; each is there only where a document asks. */

/** How an attempt ended, and what it had been asked to end for. */
export interface SettledAttempt {
  readonly settlement: AttemptSettlement;
  readonly aborted: AbortReason | undefined;
}

/** How a breaker of a run stands, and how often it has opened. */
export interface BreakerStanding {
  state: BreakerState;
  opened: number;
}

/** The breakers in the way of a run's tasks and calls; see breakers.ts. */
export interface BreakerGuard {
  /** How those that changed stand, by name. */
  readonly standings: ReadonlyMap<string, BreakerStanding>;
  /** Whether the task must not ask for its permits now; it waits then, or has ended. */
  holds(task: TaskSpec): boolean;
  /** Whether an attempt of the task may begin; it waits, or has ended, if not. */
  letThrough(task: TaskSpec): boolean;
  /** Lets a further attempt of the task through, under a name of its own, or not: nothing waits for it. */
  letThroughBeside(task: TaskSpec, name: string): boolean;
  /** What was let through under that name is over. */
  over(name: string, result: BreakerResult): void;
  find(name: string): RunBreaker | undefined;
  /** A breaker may let through again: those that wait for it ask anew. */
  ready(name: string): void;
  close(): void;
}

/** How an attempt failed that has a hedge. */
export interface HedgedFailure {
  readonly error: ErrorInfo;
  readonly aborted: AbortReason | undefined;
}

/** The further attempts of a run; see hedge.ts. */
export interface HedgeDesk {
  attemptBegan(id: string, attempt: number): void;
  attemptOver(id: string, isSuccess: boolean, durationMs: number): void;
  due(id: string, attempt: number): void;
  granted(task: string): void;
  carries(id: string, failure: HedgedFailure): boolean;
  /** Whether the task's own attempt has failed, and the task goes on with its hedge alone. */
  isAlone(id: string): boolean;
  /** Asks the hedge of a task to end for the same reason as its other attempt; there is none after it. */
  end(id: string, reason: AbortReason): void;
  lose(id: string): void;
  settled(task: string, end: SettledAttempt): void;
  abortAll(reason: 'cancelled' | 'deadline' | 'shutdown'): void;
  abandon(): void;
  abandoned(task: string, end: SettledAttempt): void;
  hasLost(task: string, attempt: number): boolean;
  close(): void;
}

/** How the agents, pools and the whole of a run do; see health.ts. */
export interface HealthDesk {
  note(agent: AgentSpec, pool: string, end: { failed: boolean; durationMs: number }): void;
  isUnhealthy(agent: string): boolean;
  entries(): Iterable<readonly [of: string, state: HealthState, figures: HealthFigures]>;
}

/** Compares what is measured with thresholds; see monitoring.ts. */
export interface ThresholdWatch {
  note(agent: string, durationMs: number): void;
  sampled(sample: Sample): void;
}
