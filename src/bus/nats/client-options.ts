import { readFileSync } from 'node:fs';
import { createInbox, credsAuthenticator, nkeyAuthenticator } from 'nats';
import type { Authenticator, ConnectionOptions } from 'nats';
import type { Clock } from '../../core/clock.ts';
import { messageOf, TroupeError } from '../../core/errors.ts';
import { seededRandom, seedOf } from '../../core/random.ts';
import type { Schedule } from '../embedded/delivery-queue.ts';

/** Encryption of the connection. Files are PEM. */
export interface NatsTlsOptions {
  /** Who signed the server's certificate. Default: those that Node.js trusts. */
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
  /** For servers that are set up to encrypt before they say anything. Default false. */
  readonly handshakeFirst?: boolean;
}

/** How a bus on a NATS server is made. */
export interface NatsBusOptions {
  /** `nats://` or `tls://`, several with commas; `user:password@` or `token@` before the host of the first. */
  readonly url: string;
  /** Namespace of everything that is named through the bus. Default `default`. */
  readonly ns?: string;
  readonly clock: Clock;
  /** How deliveries leave the stack of the client: `setImmediate`, given by the runtime. */
  readonly schedule: Schedule;
  /** What the server's lists of connections show. Default `troupe`. */
  readonly name?: string;
  /** File with a JWT and its seed. */
  readonly credentialsFile?: string;
  /** Seed of an nkey: `SU...`. */
  readonly nkeySeed?: string;
  readonly tls?: NatsTlsOptions;
  /** First tokens of the subject for answers. Default: `_INBOX_<user>` with a user in the URL, else `_INBOX`. */
  readonly inboxPrefix?: string;
  /** Bytes of messages that may wait while there is no connection. Default 8 MiB. */
  readonly outboxBytes?: number;
  /** Largest payload, encoded, in bytes. Default 1 MiB; the server's own limit holds beside it. */
  readonly maxPayloadBytes?: number;
  /** Servers of a cluster that hold a copy of each stream that this bus makes, 1 to 5. Default 1. */
  readonly replicas?: number;
  /** How long making the connection may take. Default 5 s. */
  readonly connectTimeoutMs?: number;
  /** How often the server is asked whether it is there. Default 5 s. */
  readonly pingIntervalMs?: number;
  /** Unanswered questions after which the connection counts as lost. Default 2. */
  readonly maxPingsOut?: number;
  /** How long `close` waits for what is under way. Default 5 s. */
  readonly closeTimeoutMs?: number;
  /** Told what a handler threw, which messages could not be read and what the server refused. Default: ignored. */
  readonly onError?: (error: unknown, place: string) => void;
}

/** The client's own options, and where answers go. */
export interface ClientOptions {
  readonly connection: ConnectionOptions;
  readonly inbox: string;
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
  const connection: ConnectionOptions = {
    servers,
    inboxPrefix,
    name: options.name ?? 'troupe',
    noAsyncTraces: true,
    timeout: options.connectTimeoutMs ?? 5_000,
    pingInterval: options.pingIntervalMs ?? 5_000,
    maxPingOut: options.maxPingsOut ?? 2,
    maxReconnectAttempts: -1,
    // Without it the client gives up for good when a server refuses the login twice, as one does that is being set up.
    ignoreAuthErrorAbort: true,
    reconnectDelayHandler: reconnectPauses(options.clock, inboxPrefix),
    authenticator: authenticators(options, login),
    ...(encrypted ? { tls: { ...options.tls } } : {}),
  };
  return { connection, inbox: createInbox(inboxPrefix), servers: servers.join(',') };
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

function authenticators(options: NatsBusOptions, login: URL | undefined): Authenticator[] {
  const { credentialsFile, nkeySeed } = options;
  const found: Authenticator[] = [];
  if (login) found.push(() => loginOf(login));
  if (nkeySeed !== undefined) found.push(nkeyAuthenticator(Buffer.from(nkeySeed)));
  if (credentialsFile !== undefined) found.push(fromFile(credentialsFile));
  return found;
}

function loginOf({ username, password }: URL): ReturnType<Authenticator> {
  if (password === '') return { auth_token: decodeURIComponent(username) };
  return { user: decodeURIComponent(username), pass: decodeURIComponent(password) };
}

/** Read at once, so that a file that is not there is told now; and again for each connection, as they are renewed. */
function fromFile(path: string): Authenticator {
  let known = readCredentials(path);
  return credsAuthenticator(() => {
    try {
      known = readCredentials(path);
    } catch {
      // The client would give up for good; the old ones may still do.
    }
    return known;
  });
}

function readCredentials(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    const message = `The credentials cannot be read: ${messageOf(error)}.`;
    throw new TroupeError('TRP_OPTION_INVALID', message, { place: path, cause: error });
  }
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
