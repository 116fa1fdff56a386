import { envelopeHeaders } from '../bus/envelope.ts';
import { subjectOf } from '../bus/subjects.ts';
import { messageOf } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import type { AlertRaised } from '../journal/barrier-records.ts';
import type { LiveRun } from './live-run.ts';

/** Publishes an alert of a run, under its name; a fault of the bus is none of the run. */
export function tellAlert(
  { id: run, window: { bus } }: LiveRun,
  {
    name,
    group,
    to,
    message,
    at,
    seq,
  }: AlertRaised & { readonly at: number; readonly seq: number },
  logger: Logger,
): void {
  const subject = subjectOf(bus.ns, 'alert', name);
  try {
    if (!bus.hasSubscribers(subject)) return;
    const payload = { run, name, group, to, message, at, seq };
    bus.publish(subject, payload, { headers: envelopeHeaders({ run }) });
  } catch (error) {
    logger.debug('not published', { subject, message: messageOf(error) });
  }
}
