import type { LogKind } from './event-log.ts';
import { subjectOf } from './subject-parts.ts';
import type { WorkLevel } from './work-queue.ts';

export { bucketName, checkNamespace, logRole, streamName, workConsumer } from './carriers.ts';
export { parseSubject, subjectOf } from './subject-parts.ts';

/** Progress of a run, or of one of its tasks. */
export function liveSubject(ns: string, run: string, task?: string): string {
  return task === undefined ? subjectOf(ns, 'live', run) : subjectOf(ns, 'live', run, task);
}

/** Where a node, or the owner of a run, takes control requests. */
export function ctlSubject(ns: string, target: string): string {
  return subjectOf(ns, 'ctl', target);
}

/** New entries of a memory key: the key's dots part tokens, so `mem.<run>.parallel.>` is a subscription. */
export function memorySubject(ns: string, run: string, key: string): string {
  return subjectOf(ns, 'mem', run, ...key.split('.'));
}

/** Where one level of a pool's work is put. */
export function workSubject(ns: string, pool: string, level: WorkLevel): string {
  return subjectOf(ns, 'work', pool, level);
}

/** Alerts of one kind: `breaker`, `health`, `threshold`. */
export function alertSubject(ns: string, name: string): string {
  return subjectOf(ns, 'alert', name);
}

/** Where work of a pool goes that nobody could carry out. */
export function deadLetterSubject(ns: string, pool: string): string {
  return subjectOf(ns, 'dlq', pool);
}

/** The one subject of a log. Any name is one token. */
export function logSubject(ns: string, kind: LogKind, name: string): string {
  return subjectOf(ns, kind, name);
}
