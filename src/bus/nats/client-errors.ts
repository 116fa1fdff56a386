import { NatsError } from 'nats';
import { messageOf, TroupeError } from '../../core/errors.ts';
import type { ErrorCode, TroupeErrorOptions } from '../../core/errors.ts';

/** Codes of the client, by the code of the contract that says the same. */
const byClientCode: { readonly [code: string]: ErrorCode } = {
  '503': 'TRP_BUS_NO_RESPONDERS',
  TIMEOUT: 'TRP_BUS_TIMEOUT',
  DISCONNECT: 'TRP_BUS_DISCONNECTED',
  CONNECTION_REFUSED: 'TRP_BUS_DISCONNECTED',
  CONNECTION_TIMEOUT: 'TRP_BUS_DISCONNECTED',
  CONNECTION_CLOSED: 'TRP_BUS_CLOSED',
  CONNECTION_DRAINING: 'TRP_BUS_CLOSED',
  PERMISSIONS_VIOLATION: 'TRP_BUS_DENIED',
  AUTHORIZATION_VIOLATION: 'TRP_BUS_DENIED',
  AUTHENTICATION_EXPIRED: 'TRP_BUS_DENIED',
  AUTHENTICATION_TIMEOUT: 'TRP_BUS_DENIED',
  ACCOUNT_EXPIRED: 'TRP_BUS_DENIED',
  BAD_AUTHENTICATION: 'TRP_BUS_DENIED',
  BAD_CREDS: 'TRP_BUS_DENIED',
  MAX_PAYLOAD_EXCEEDED: 'TRP_BUS_PAYLOAD',
  BAD_SUBJECT: 'TRP_BUS_SUBJECT',
};

/** Errors of the JetStream API (`err_code`) that have a word of their own in the contract. */
const byApiCode: { readonly [code: number]: ErrorCode } = {
  /** Wrong last sequence. */
  10071: 'TRP_BUS_CONFLICT',
  /** Maximum messages, bytes or messages per subject exceeded. */
  10077: 'TRP_BUS_FULL',
  /** Insufficient storage resources. */
  10047: 'TRP_BUS_FULL',
};

/**
 * An error in the words of the contract: one of the client's becomes a TroupeError with the client's as its
 * cause; anything else is returned as it is.
 * @param what the act, as the beginning of a sentence: `Reading the log`.
 */
export function contractError(error: unknown, what: string): unknown {
  if (!(error instanceof NatsError)) return error;
  const code = codeOf(error);
  const said = error.api_error?.description ?? error.chainedError?.message ?? messageOf(error);
  return new TroupeError(code, `${what} failed: ${said}.`, { ...classOf(code), cause: error });
}

function codeOf(error: NatsError): ErrorCode {
  const { api_error: apiError } = error;
  if (apiError) return byApiCode[apiError.err_code ?? 0] ?? 'TRP_BUS_SERVER';
  return byClientCode[error.code] ?? 'TRP_BUS_SERVER';
}

function classOf(code: ErrorCode): TroupeErrorOptions {
  if (code === 'TRP_BUS_TIMEOUT') return { errorClass: 'timeout' };
  const passing = code === 'TRP_BUS_DISCONNECTED' || code === 'TRP_BUS_NO_RESPONDERS';
  return passing ? { errorClass: 'transient' } : {};
}

/** The bus was closed. */
export function closedError(): TroupeError {
  return new TroupeError('TRP_BUS_CLOSED', 'The bus is closed.');
}

/** There is no connection, or it was lost before the answer. */
export function disconnectedError(what: string): TroupeError {
  return new TroupeError('TRP_BUS_DISCONNECTED', `${what}: there is no connection to the server.`, {
    errorClass: 'transient',
  });
}

/** The server refused a subject to this user. */
export function deniedError(act: string, subject: string): TroupeError {
  return new TroupeError('TRP_BUS_DENIED', `The server does not allow to ${act} ${subject}.`, {
    place: subject,
  });
}

/** What the server said of the connection as a whole, by the client's code for it. */
export function serverComplaint(clientCode: string): TroupeError {
  const code = byClientCode[clientCode] ?? 'TRP_BUS_SERVER';
  return new TroupeError(code, `The server reports: ${clientCode}.`);
}
