import { envelopeHeaders } from '../bus/envelope.ts';
import { alertSubject } from '../bus/subjects.ts';
import { messageOf } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import type { RunAlert } from '../supervisors/run/run-alert.ts';
import type { AlertEvent } from './alert-event.ts';
import type { LiveRun } from './live-run.ts';

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
