import { envelopeHeaders } from '../bus/envelope.ts';
import { alertSubject } from '../bus/subjects.ts';
import { messageOf } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import type { BreakerState } from '../policies/breaker.ts';
import type { HealthState } from '../policies/health.ts';
import type { RunAlert } from '../supervisors/run/health.ts';
import type { LiveRun } from './live-run.ts';

/** A change that people should hear of; told to whoever listens, never journaled. */
export type AlertEvent = { readonly run: string; readonly at: number; readonly why: string } & (
  | {
      readonly type: 'breaker.changed';
      readonly breaker: string;
      readonly state: BreakerState;
      /** When it lets calls try, wall milliseconds; null: it is not open. */
      readonly until: number | null;
    }
  | { readonly type: 'health.changed'; readonly of: string; readonly state: HealthState }
  /** A threshold of `monitoring` was passed, or is kept again. */
  | {
      readonly type: 'threshold.changed';
      readonly threshold: string;
      readonly state: 'passed' | 'back';
    }
);

/** Tells whoever reads the run's events, and on the bus whoever listens to alerts. */
export function tellChange(
  handle: LiveRun | undefined,
  { alert, at }: { readonly alert: RunAlert; readonly at: number },
  logger: Logger,
): void {
  if (!handle) return;
  const event = eventOf(handle.id, alert, at);
  handle.emit(event);
  const { bus } = handle.window;
  const subject = alertSubject(bus.ns, alert.kind);
  try {
    if (bus.hasSubscribers(subject))
      bus.publish(subject, { ...event }, { headers: envelopeHeaders({ run: handle.id }) });
  } catch (error) {
    logger.debug('not published', { subject, message: messageOf(error) });
  }
}

function eventOf(run: string, alert: RunAlert, at: number): AlertEvent {
  const { of, why } = alert;
  const about = { run, at, why };
  if (alert.kind === 'breaker')
    return {
      type: 'breaker.changed',
      ...about,
      breaker: of,
      state: alert.state,
      until: alert.until,
    };
  if (alert.kind === 'health') return { type: 'health.changed', ...about, of, state: alert.state };
  return { type: 'threshold.changed', ...about, threshold: of, state: alert.state };
}
