import type { Clock } from '../../core/clock.ts';
import type { ErrorInfo } from '../../core/errors.ts';
import { alertLine } from './alert-line.ts';
import type { RunEvent } from '../../runtime/api.ts';
import type { Painter } from '../render/painter.ts';
import { byStanding } from '../render/painter.ts';
import { elapsed } from '../render/shapes.ts';
import { oneLine } from '../render/width.ts';
import { questionText, retryText } from './recovery-line.ts';
import type { Tally } from './tally.ts';
import type { ProgressView } from './view.ts';

/** Runs with more tasks than this get a line a second instead of a line per task. */
const manyTasks = 200;

/** Lines about failures that a large run still gets one by one. */
const maxFailureLines = 20;

const countsGapMs = 1000;

/** What plain progress lines are made from, and where they go. */
export interface LinesOptions {
  readonly clock: Clock;
  readonly write: (text: string) => void;
  readonly tally: Tally;
  /** Wall time of the run's start in milliseconds. */
  readonly startedAt: number;
  readonly paint: Painter;
}

/** Progress as plain lines, for pipes, logs and continuous integration: each task's start, retry and end. */
export class LinesView implements ProgressView {
  private readonly options: LinesOptions;
  private readonly since = new Map<string, number>();
  private failureLines = 0;
  private stopped = false;
  private countedAt = Number.NEGATIVE_INFINITY;

  constructor(options: LinesOptions) {
    this.options = options;
  }

  show(event: RunEvent): void {
    if (this.stopped) return;
    const line = eventLine(event, this.tookMs(event), this.options.paint);
    if (this.options.tally.total <= manyTasks) return this.write(event, line);
    if (line?.failure && this.failureLines++ < maxFailureLines) this.write(event, line);
    else this.showCounts(event);
  }

  note(text: string): void {
    this.options.write(`${text}\n`);
  }

  stop(): void {
    this.since.clear();
    this.stopped = true;
  }

  leave(text: string): void {
    this.note(text);
    this.stop();
  }

  private showCounts(event: RunEvent): void {
    const now = this.options.clock.monotonic();
    if (now - this.countedAt < countsGapMs) return;
    this.countedAt = now;
    this.write(event, { text: countsText(this.options.tally), failure: false });
  }

  private tookMs(event: RunEvent): number | undefined {
    if (!('task' in event)) return undefined;
    const since = this.since.get(event.task);
    if (event.type === 'task.started') this.since.set(event.task, event.at);
    if (
      event.type === 'task.succeeded' ||
      event.type === 'task.accepted' ||
      event.type === 'task.ended'
    )
      this.since.delete(event.task);
    return since === undefined ? undefined : event.at - since;
  }

  private write(event: RunEvent, line: Line | undefined): void {
    if (!line) return;
    const time = elapsed(event.at - this.options.startedAt).padStart(8);
    this.options.write(`${this.options.paint.faint(time)}  ${line.text}\n`);
  }
}

interface Line {
  readonly text: string;
  readonly failure: boolean;
}

/** How far a run is, in one line. */
function countsText({ census, endedCount, running, total }: Tally): string {
  const bad = census.failed + census.timed_out;
  return `${endedCount}/${total} ended, ${running.size} running, ${bad} failed`;
}

function eventLine(event: RunEvent, tookMs: number | undefined, paint: Painter): Line | undefined {
  const took = tookMs === undefined ? '' : ` (${elapsed(tookMs)})`;
  switch (event.type) {
    case 'task.started':
      return {
        text: `${paint.accent('start    ')}  ${name(event.task)}${event.attempt > 1 ? ` attempt ${event.attempt}` : ''}`,
        failure: false,
      };
    case 'task.completed':
      return { text: `${paint.accent('checking ')}  ${name(event.task)}${took}`, failure: false };
    case 'task.succeeded':
    case 'task.accepted':
      return { text: `${paint.good('succeeded')}  ${name(event.task)}${took}`, failure: false };
    case 'attempt.failed':
      return {
        text: `${retryText(event, paint)}${errorText(event.error)}`,
        failure: true,
      };
    case 'task.parked':
      return {
        text: `${paint.warn('waits    ')}  ${name(event.task)} for a word${errorText(event.error)}`,
        failure: true,
      };
    case 'task.ended': {
      const word = byStanding(paint, event.outcome)(event.outcome.replace('_', ' ').padEnd(9));
      return {
        text: `${word}  ${name(event.task)}${took} ${event.reason}${errorText(event.error)}`,
        failure: event.outcome !== 'skipped',
      };
    }
    case 'task.sent_back':
      return {
        text: `${paint.warn('sent back')}  ${name(event.task)} by ${event.by.map(name).join(', ')}, iteration ${event.iteration}`,
        failure: true,
      };
    default:
      return otherLine(event, paint);
  }
}

/** What concerns no single task. */
function otherLine(event: RunEvent, paint: Painter): Line | undefined {
  if (event.type === 'run.paused')
    return { text: `${paint.warn('paused   ')}  by ${oneLine(event.by)}`, failure: true };
  if (event.type === 'run.resumed')
    return { text: `${paint.accent('resumed  ')}  by ${oneLine(event.by)}`, failure: false };
  if (event.type === 'group.ended')
    return {
      text: `${byStanding(paint, event.outcome)(event.outcome.padEnd(9))}  group ${name(event.group)} ${event.reason}`,
      failure: false,
    };
  if (event.type === 'provider.paused')
    return {
      text: `${paint.warn('paused   ')}  provider ${name(event.provider)} asked to wait ${elapsed(event.for_ms)}`,
      failure: true,
    };
  if (
    event.type === 'breaker.changed' ||
    event.type === 'health.changed' ||
    event.type === 'threshold.changed'
  )
    return alertLine(event, paint);
  if (event.type === 'pool.unserved')
    return {
      text: `${paint.warn('waiting  ')}  no worker host serves pool ${name(event.pool)}: troupe worker --pools ${name(event.pool)}`,
      failure: true,
    };
  if (event.type !== 'policy.adapted') return barrierLine(event, paint);
  const what = event.policy.replace('_', ' ') + (event.of === '' ? '' : ` of ${name(event.of)}`);
  const from = event.from === null ? '' : ` from ${event.from}`;
  return {
    text: `${paint.accent('adapted  ')}  ${what}${from} to ${event.to}: ${oneLine(event.reason)}`,
    failure: false,
  };
}

/** What a group decides or foresees while its members work, and what people are asked. */
function barrierLine(event: RunEvent, paint: Painter): Line | undefined {
  switch (event.type) {
    case 'barrier.fell_back':
      return {
        text: `${paint.warn('fallback ')}  group ${name(event.group)} runs ${event.members.length} members one after another`,
        failure: true,
      };
    case 'conflict.foreseen': {
      const tasks = event.tasks.map(name).join(' and ');
      return {
        text: `${paint.warn('conflict ')}  ${tasks} write ${name(event.key)}: ${event.rule} decides`,
        failure: true,
      };
    }
    case 'escalation.opened': {
      const text = questionText(event, paint);
      return text === undefined ? undefined : { text, failure: true };
    }
    case 'alert.raised':
      return { text: `${paint.warn('alert    ')}  ${oneLine(event.message)}`, failure: true };
    default:
      return undefined;
  }
}

function name(id: string): string {
  return oneLine(id);
}

function errorText(error: ErrorInfo | undefined): string {
  return error ? `: ${error.code} ${oneLine(error.message)}` : '';
}
