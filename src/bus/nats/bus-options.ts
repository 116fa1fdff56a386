import type { Clock } from '../../core/clock.ts';
import type { Schedule } from '../embedded/delivery-queue.ts';

/** Encryption of the connection. Files are PEM; they are read again for each connection, so that they may be renewed. */
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
  /** File with the seed of an nkey. */
  readonly nkeyFile?: string;
  readonly tls?: NatsTlsOptions;
  /** First tokens of the subject for answers. Default: `_INBOX_<user>` with a user in the URL, else `_INBOX`. */
  readonly inboxPrefix?: string;
  /** Bytes of messages that may wait while there is no connection. Default 8 MiB. */
  readonly outboxBytes?: number;
  /** Largest payload, encoded, in bytes. Default 1 MiB; a server's smaller limit counts instead. */
  readonly maxPayloadBytes?: number;
  /** Servers of a cluster that hold a copy of each stream that this bus makes, 1 to 5. Default 1. */
  readonly replicas?: number;
  /** How long making the connection may take, for each address that is given. Default 5 s. */
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
