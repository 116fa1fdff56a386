import { headers } from 'nats';
import { TroupeError } from '../../core/errors.ts';
import { streamName, subjectOf } from '../subjects.ts';
import type { ClientLink } from './client-link.ts';

/** Who uses a bus: owners of runs, hosts of workers, and those who watch. */
export const busRoles = ['supervisor', 'worker', 'viewer'] as const;

/** One of the three. */
export type BusRole = (typeof busRoles)[number];

/** Whether the user that is connected may do what a role needs. */
export interface RoleCheck {
  readonly allowed: boolean;
  /** Acts that the server refused: `publish on $JS.API...`. */
  readonly denied: readonly string[];
}

/** What a role needs, tried on names that nobody uses. */
interface Needs {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
}

const nobody = 'doctor';

/**
 * Tries what each role needs. Nothing is changed: calls of JetStream carry no body and name things that do not exist,
 * and what would be stored names a stream that it is not for.
 */
export async function checkRoles(
  link: ClientLink,
): Promise<{ readonly [role in BusRole]: RoleCheck }> {
  const [supervisor, worker, viewer] = await Promise.all(
    busRoles.map((role) => checkRole(link, needsOf(link.ns)[role])),
  );
  const none: RoleCheck = { allowed: false, denied: [] };
  return { supervisor: supervisor ?? none, worker: worker ?? none, viewer: viewer ?? none };
}

function needsOf(ns: string): { readonly [role in BusRole]: Needs } {
  const at = (...parts: Parameters<typeof subjectOf> extends [string, ...infer R] ? R : never) =>
    subjectOf(ns, ...parts);
  const [work, journal] = [streamName(ns, 'WORK'), streamName(ns, 'JRN')];
  return {
    supervisor: {
      publish: [
        at('live', nobody),
        at('jrn', nobody),
        `$JS.API.STREAM.CREATE.${nobody}`,
        `$JS.API.STREAM.PURGE.${nobody}`,
        `$JS.API.CONSUMER.DURABLE.CREATE.${nobody}.${nobody}`,
        `$KV.${nobody}.${nobody}`,
      ],
      subscribe: [`${subjectOf(ns, 'res')}.>`, `${subjectOf(ns, 'ctl')}.>`],
    },
    worker: {
      publish: [
        at('live', nobody),
        at('res', nobody),
        `$JS.API.CONSUMER.MSG.NEXT.${work}.${nobody}`,
        `$JS.ACK.${work}.${nobody}`,
      ],
      subscribe: [at('ctl', nobody)],
    },
    viewer: {
      publish: [`$JS.API.CONSUMER.CREATE.${journal}.${nobody}.${at('jrn', nobody)}`],
      subscribe: [`${subjectOf(ns, 'live')}.>`, `${subjectOf(ns, 'mem')}.>`],
    },
  };
}

async function checkRole(link: ClientLink, needs: Needs): Promise<RoleCheck> {
  const tries = await Promise.all([
    ...needs.publish.map(async (subject) => [
      `publish on ${subject}`,
      await mayPublish(link, subject),
    ]),
    ...needs.subscribe.map(async (pattern) => [
      `subscribe to ${pattern}`,
      await maySubscribe(link, pattern),
    ]),
  ]);
  const denied = tries.filter(([, allowed]) => !allowed).map(([act]) => String(act));
  return { allowed: denied.length === 0, denied };
}

/** A refusal comes before the answer to the flush; whoever else answers the request is not waited for. */
async function mayPublish(link: ClientLink, subject: string): Promise<boolean> {
  const guard = headers();
  guard.set('Nats-Expected-Stream', 'none');
  let denied = false;
  const data = new Uint8Array([0xc0]);
  link.request({ subject, data, headers: guard }).catch((error: unknown) => {
    denied = error instanceof TroupeError && error.code === 'TRP_BUS_DENIED';
  });
  await link.flush();
  // Refusals are looked up in the turn after the one in which the link hears of them.
  await link.delivered();
  await link.delivered();
  return !denied;
}

async function maySubscribe(link: ClientLink, pattern: string): Promise<boolean> {
  let allowed = true;
  const subscription = link.connection.subscribe(pattern, {
    callback: (error) => {
      if (error) allowed = false;
    },
  });
  await link.flush();
  subscription.unsubscribe();
  return allowed;
}
