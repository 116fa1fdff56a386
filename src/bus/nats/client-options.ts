import { createInbox } from 'nats';
import type { ConnectionOptions } from 'nats';
import type { Clock } from '../../core/clock.ts';
import { TroupeError } from '../../core/errors.ts';
import { seededRandom, seedOf } from '../../core/random.ts';
import type { NatsBusOptions } from './bus-options.ts';
import { encryptionOf } from './encryption.ts';
import { natsLogins } from './logins.ts';

/** The client's own options, and where answers go. */
export interface ClientOptions {
  readonly connection: ConnectionOptions;
  readonly inbox: string;
  /** Milliseconds that making the connection may take in all. */
  readonly withinMs: number;
  /** For messages: hosts and ports, without the secrets of the URL. */
  readonly servers: string;
}

/** Bounds of the pause between two tries to reconnect, in milliseconds. */
const pauses = { least: 50, most: 2_000 };

/**
 * What the client is to be given.
 * @throws TroupeError TRP_OPTION_INVALID
 */
export function clientOptions(options: NatsBusOptions): ClientOptions {
  const urls = parseUrls(options.url);
  const login = urls.find((url) => url.username !== '');
  const inboxPrefix = options.inboxPrefix ?? inboxPrefixOf(login);
  const servers = urls.map((url) => url.host);
  const encrypted = options.tls !== undefined || urls.some((url) => url.protocol === 'tls:');
  const timeoutMs = options.connectTimeoutMs ?? 5_000;
  const connection: ConnectionOptions = {
    servers,
    inboxPrefix,
    name: options.name ?? 'troupe',
    noAsyncTraces: true,
    timeout: timeoutMs,
    pingInterval: options.pingIntervalMs ?? 5_000,
    maxPingOut: options.maxPingsOut ?? 2,
    maxReconnectAttempts: -1,
    // Without it the client gives up for good when a server refuses the login twice, as one does that is being set up.
    ignoreAuthErrorAbort: true,
    reconnectDelayHandler: reconnectPauses(options.clock, inboxPrefix),
    authenticator: natsLogins(options, login),
    ...(encrypted ? { tls: encryptionOf(options.tls ?? {}, urls.map(hostOf)) } : {}),
  };
  const withinMs = timeoutMs * servers.length;
  return { connection, inbox: createInbox(inboxPrefix), withinMs, servers: servers.join(',') };
}

/** Without the brackets of IPv6. */
function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[(.*)\]$/, '$1');
}

function parseUrls(text: string): URL[] {
  return text.split(',').map((part) => {
    const url = URL.canParse(part.trim()) ? new URL(part.trim()) : undefined;
    if (url && ['nats:', 'tls:'].includes(url.protocol) && url.hostname !== '') return url;
    // The text may hold a password: it is not shown.
    throw new TroupeError('TRP_OPTION_INVALID', 'The address of the NATS server is malformed.', {
      hint: 'nats://host:4222 or tls://host:4222, several with commas.',
    });
  });
}

/** Answers to one user cannot be heard by another when the server gives each a prefix of his own. */
function inboxPrefixOf(login: URL | undefined): string {
  const isUser = login !== undefined && login.password !== '';
  return isUser && /^[A-Za-z0-9_-]{1,64}$/.test(login.username)
    ? `_INBOX_${login.username}`
    : '_INBOX';
}

/**
 * Pauses that grow with the time that there has been no connection, each between half and whole, so that many clients
 * do not come back in one moment.
 */
function reconnectPauses(clock: Clock, seed: string): () => number {
  const random = seededRandom(seedOf(seed, createInbox(), clock.now()));
  let lostAt = -Infinity;
  let askedAt = -Infinity;
  return () => {
    const now = clock.monotonic();
    // The client asks before each try, and more often; a long silence was a connection.
    if (now - askedAt > 2 * pauses.most) lostAt = now;
    askedAt = now;
    const pause = Math.min(Math.max((now - lostAt) / 4, pauses.least), pauses.most);
    return Math.ceil(pause * (0.5 + random() / 2));
  };
}
