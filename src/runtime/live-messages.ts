import { envelopeHeaders } from '../bus/envelope.ts';
import type { Envelope } from '../bus/envelope.ts';
import { liveSubject } from '../bus/subjects.ts';
import { messageOf } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import type { Plain } from '../core/plain.ts';
import type { JournalRecord } from '../journal/record.ts';
import type { RunEvent } from './api.ts';
import { phaseAfter } from './group-phase.ts';
import type { LiveRun } from './live-run.ts';

interface LiveMessage {
  readonly subject: string;
  readonly about: Envelope;
  payload(): Plain;
}

/** Says on the bus that a record of a run is durable, to whoever listens. */
export function tellRecord(handle: LiveRun, record: JournalRecord, logger: Logger): void {
  const { type, at, seq } = record;
  const run = handle.id;
  const task = 'task' in record ? record.task : null;
  const message = {
    subject: handle.subject,
    about: task === null ? { run } : { run, task },
    payload: (): Plain => {
      const phase = phaseAfter(record);
      return {
        type,
        run,
        task,
        at,
        seq,
        ...(phase && 'group' in record && { group: record.group, phase }),
      };
    },
  };
  tell(handle, message, logger);
}

/** Says on the bus how far a task has come, to whoever listens. */
export function tellProgress(
  handle: LiveRun,
  event: Extract<RunEvent, { type: 'task.progress' }>,
  logger: Logger,
): void {
  const { run, task } = event;
  const subject = liveSubject(handle.window.bus.ns, run, task);
  tell(handle, { subject, about: { run, task }, payload: () => ({ ...event }) }, logger);
}

/** What is only told to whoever listens may be lost: no fault of the bus is one of the run. */
function tell({ window: { bus } }: LiveRun, message: LiveMessage, logger: Logger): void {
  const { subject, about } = message;
  try {
    if (!bus.hasSubscribers(subject)) return;
    bus.publish(subject, message.payload(), { headers: envelopeHeaders(about) });
  } catch (error) {
    logger.debug('not published', { subject, message: messageOf(error) });
  }
}
