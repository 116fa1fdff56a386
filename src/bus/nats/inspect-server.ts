import { randomBytes } from 'node:crypto';
import type { Msg } from 'nats';
import { messageOf } from '../../core/errors.ts';
import type { ClientLink } from './client-link.ts';
import type { NatsBusOptions } from './bus-options.ts';
import { newInbox } from './inbox.ts';
import { openLink } from './open-link.ts';
import { checkRoles } from './role-check.ts';
import type { BusRole, RoleCheck } from './role-check.ts';
import { featuresOf } from './server-features.ts';
import type { ServerFeature } from './server-features.ts';
import { isAtLeast } from './server-version.ts';
import type { ServerVersion } from './server-version.ts';

/** So much of a resource is used, of so much; -1: no limit. */
export interface ServerUse {
  readonly used: number;
  readonly limit: number;
}

/** What JetStream offers the account of the user. */
export type JetStreamReport =
  | {
      readonly enabled: true;
      /** Bytes. */
      readonly memory: ServerUse;
      /** Bytes. */
      readonly storage: ServerUse;
      readonly streams: ServerUse;
      readonly consumers: ServerUse;
    }
  | { readonly enabled: false; readonly reason: string };

/** What a server can do for Troupe, as plain data. */
export interface ServerInspection {
  /** Of the server: `2.10.27`. */
  readonly version: string;
  readonly name: string;
  /** False: it works, and older faults of the server may show. */
  readonly recommended: boolean;
  readonly encrypted: boolean;
  readonly maxPayloadBytes: number;
  readonly jetStream: JetStreamReport;
  readonly features: readonly ServerFeature[];
  /** Median and worst of some round trips. */
  readonly roundTripMs: { readonly median: number; readonly worst: number };
  /** How far the server's clock is ahead, within half a round trip; undefined when it could not be asked. */
  readonly clockAheadMs?: number;
  readonly roles: { readonly [role in BusRole]: RoleCheck };
  /** Whether what is acknowledged survives a loss of power: no server tells. */
  readonly sync: 'declared, not verified';
}

/** What is recommended for more than tests: it has had the security fixes. */
const recommendedServer: ServerVersion = [2, 12, 0];

const roundTrips = 9;

/** How long the message of the clock is waited for. */
const pullMs = 2_000;

/**
 * Looks at a server and at what its user may do there. Rejects as `connectNats` does when it cannot be used at all.
 * Changes nothing but a stream in memory that it makes to read the server's clock, and removes.
 */
export async function inspectServer(
  url: string,
  options: Omit<NatsBusOptions, 'url' | 'onError'>,
): Promise<ServerInspection> {
  const link = await openLink({ ...options, url });
  try {
    const jetStream = await jetStreamReport(link);
    const clockAheadMs = jetStream.enabled ? await clockAhead(link) : undefined;
    return {
      ...identity(link),
      jetStream,
      features: featuresOf(link.serverVersion),
      roundTripMs: await measureRoundTrips(link),
      ...(clockAheadMs === undefined ? {} : { clockAheadMs }),
      roles: await checkRoles(link),
      sync: 'declared, not verified',
    };
  } finally {
    await link.close();
  }
}

function identity(
  link: ClientLink,
): Pick<ServerInspection, 'version' | 'name' | 'recommended' | 'encrypted' | 'maxPayloadBytes'> {
  const { info } = link.connection;
  return {
    version: info?.version ?? '',
    name: info?.server_name ?? '',
    recommended: isAtLeast(link.serverVersion, recommendedServer),
    encrypted: info?.tls_required === true || info?.tls_available === true,
    maxPayloadBytes: info?.max_payload ?? 0,
  };
}

interface AccountInfo {
  readonly memory: number;
  readonly storage: number;
  readonly streams: number;
  readonly consumers: number;
  readonly limits: {
    readonly max_memory: number;
    readonly max_storage: number;
    readonly max_streams: number;
    readonly max_consumers: number;
  };
  readonly error?: { readonly description?: string };
}

async function jetStreamReport(link: ClientLink): Promise<JetStreamReport> {
  let account: AccountInfo;
  try {
    account = await call<AccountInfo>(link, 'INFO');
  } catch (error) {
    return { enabled: false, reason: messageOf(error) };
  }
  const { limits, error } = account;
  if (error) return { enabled: false, reason: error.description ?? 'JetStream refused.' };
  return {
    enabled: true,
    memory: { used: account.memory, limit: limits.max_memory },
    storage: { used: account.storage, limit: limits.max_storage },
    streams: { used: account.streams, limit: limits.max_streams },
    consumers: { used: account.consumers, limit: limits.max_consumers },
  };
}

async function measureRoundTrips(link: ClientLink): Promise<ServerInspection['roundTripMs']> {
  const times: number[] = [];
  for (let round = 0; round < roundTrips; round++) {
    const start = link.clock.monotonic();
    await link.flush();
    times.push(link.clock.monotonic() - start);
  }
  times.sort((a, b) => a - b);
  return { median: times[roundTrips >> 1] ?? 0, worst: times.at(-1) ?? 0 };
}

/** A message from a stream says, in the subject to acknowledge it on, when the server got it. */
async function clockAhead(link: ClientLink): Promise<number | undefined> {
  const name = `TROUPE_${link.ns}_CLOCK_${randomBytes(6).toString('hex')}`;
  const subject = `troupe.v1.${link.ns}.clock.${name}`;
  try {
    await call(link, `STREAM.CREATE.${name}`, { name, subjects: [subject], storage: 'memory' });
    const config = { name: 'clock', ack_policy: 'explicit', filter_subject: subject };
    await call(link, `CONSUMER.CREATE.${name}.clock.${subject}`, { stream_name: name, config });
    const before = link.clock.now();
    await link.request({ subject, data: new Uint8Array() });
    const middle = (before + link.clock.now()) / 2;
    return receivedAt(await pulled(link, `${name}.clock`)) - middle;
  } catch {
    return undefined;
  } finally {
    await call(link, `STREAM.DELETE.${name}`).catch(() => undefined);
  }
}

/** What is pulled comes under its own subject, not under that of a request. */
function pulled({ connection }: ClientLink, consumer: string): Promise<Msg> {
  return new Promise((resolve, reject) => {
    const inbox = newInbox(connection);
    const callback = (error: Error | null, message: Msg): void =>
      error ? reject(error) : resolve(message);
    connection.subscribe(inbox, { max: 1, timeout: pullMs, callback });
    connection.publish(`$JS.API.CONSUMER.MSG.NEXT.${consumer}`, '{"batch":1}', { reply: inbox });
  });
}

/** The last token but one, or but three with a domain, of `$JS.ACK...`: nanoseconds since the epoch. */
function receivedAt({ reply = '' }: Msg): number {
  const tokens = reply.split('.');
  const nanoseconds = tokens.length <= 9 ? tokens[7] : tokens[9];
  return Number(nanoseconds) / 1e6;
}

async function call<T>(link: ClientLink, api: string, body?: object): Promise<T> {
  const data = Buffer.from(body ? JSON.stringify(body) : '');
  const answer = await link.request({ subject: `$JS.API.${api}`, data });
  return answer.json<T>();
}
