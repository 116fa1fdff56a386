import { TroupeError } from '../core/errors.ts';
import type { LogKind } from './event-log.ts';
import { escapeToken } from './subject-grammar.ts';
import type { StreamRole } from './subject-table.ts';
import type { WorkLevel } from './work-queue.ts';

// Streams and buckets are fixed per namespace, never per run: a server pays for each of them.

const namespaceForm = /^[A-Za-z0-9_-]{1,64}$/;
/** No underscore: the last one of a bucket's full name ends the namespace, so no two pairs share a name. */
const bucketForm = /^[A-Za-z0-9-]{1,64}$/;

/** Throws TRP_BUS_SUBJECT unless streams and buckets can be named after the namespace. */
export function checkNamespace(ns: string): void {
  if (!namespaceForm.test(ns)) refuse(ns, 'namespace', 'letters, digits, - and _');
}

/** The stream of a namespace for one purpose: `TROUPE_<ns>_WORK`. Throws TRP_BUS_SUBJECT for a bad namespace. */
export function streamName(ns: string, role: StreamRole): string {
  checkNamespace(ns);
  return `TROUPE_${ns}_${role}`;
}

/** The full name of a bucket: `troupe_<ns>_<bucket>`. Throws TRP_BUS_SUBJECT for a bad namespace or bucket. */
export function bucketName(ns: string, bucket: string): string {
  checkNamespace(ns);
  if (!bucketForm.test(bucket)) refuse(bucket, 'bucket', 'letters, digits and -');
  return `troupe_${ns}_${bucket}`;
}

/** The stream that carries the logs of a kind. */
export function logRole(kind: LogKind): StreamRole {
  return logRoles[kind];
}

/** The durable consumer of one level of a pool's work: all who pull from it share it. */
export function workConsumer(pool: string, level: WorkLevel): string {
  return `${escapeToken(pool)}_${level}`;
}

const logRoles = { jrn: 'JRN', cfl: 'CFL', res: 'RES' } as const;

function refuse(name: string, what: string, allowed: string): never {
  const shown = JSON.stringify(name.slice(0, 80));
  throw new TroupeError('TRP_BUS_SUBJECT', `${shown} is no valid name of a ${what}.`, {
    hint: `1 to 64 ${allowed}.`,
  });
}
