import { ErrorCode as ClientCode, NatsError } from 'nats';
import { messageOf, TroupeError } from '../../core/errors.ts';
import { contractError } from './client-errors.ts';

/** What is wrong with a certificate, by the codes of Node.js, and what to do about it. */
const certificateHints: { readonly [code: string]: string } = {
  CERT_HAS_EXPIRED: 'The server needs a new certificate; compare the clocks, too.',
  CERT_NOT_YET_VALID: 'Compare the clocks of both machines.',
  ERR_TLS_CERT_ALTNAME_INVALID: 'Use a name of the server that stands in its certificate.',
};

const unknownSigner =
  'Name the certificate of who signed it: tls.caFile, or TROUPE_NATS_CA on the command line.';

/** Codes of Node.js that say nobody known has signed the certificate. */
const unsigned = /^(?:SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_(?:GET_ISSUER|VERIFY)|CERT_UNTRUSTED)/;

/** What was to be reached. */
export interface ConnectTarget {
  /** For messages: hosts and ports, without secrets. */
  readonly servers: string;
  readonly withinMs: number;
}

/**
 * Why no connection came about, as an error of the contract: TRP_BUS_DENIED for a refused login, else TRP_BUS_SERVER.
 */
export function connectFailure(error: unknown, { servers, withinMs }: ConnectTarget): TroupeError {
  if (error instanceof TroupeError) return error;
  if (codeOf(error) === ClientCode.Timeout) return connectTimeout({ servers, withinMs });
  const failure = contractError(error, `Connecting to ${servers}`);
  if (failure instanceof TroupeError && failure.code === 'TRP_BUS_DENIED')
    return new TroupeError('TRP_BUS_DENIED', failure.message, { hint: loginHint, cause: error });
  return encryptionFailure(error, servers) ?? unreachable(error, servers);
}

const loginHint =
  'Check user and password in the address, or the credentials or nkey; the server may have withdrawn them.';

/**
 * The server did not answer in time, or ended connections as soon as they were made: so it does, without a word, with
 * clients that show no certificate.
 */
export function connectTimeout({ servers, withinMs }: ConnectTarget): TroupeError {
  const message = `There was no lasting connection to ${servers} within ${withinMs} ms.`;
  return new TroupeError('TRP_BUS_SERVER', message, {
    hint: 'Check address, port and firewall, and the log of the server. If it wants certificates of its clients, name one: tls.certFile, or TROUPE_NATS_CERT.',
    errorClass: 'transient',
  });
}

function encryptionFailure(error: unknown, servers: string): TroupeError | undefined {
  const code = codeOf(error);
  if (code === ClientCode.ServerOptionNotAvailable)
    return encryption(error, `${servers} does not encrypt, and encryption is asked for.`, {
      hint: 'Give the server a certificate (tls), or use nats:// without any files for encryption.',
    });
  const [hint, said] = [certificateHint(code), messageOf(error)];
  if (hint !== undefined)
    return encryption(error, `The certificate of ${servers} is not accepted: ${said}.`, { hint });
  if (!/^(?:TLS|EPROTO|ERR_SSL_|ERR_TLS_|ERR_OSSL_)/.test(code)) return undefined;
  return encryption(error, `The connection to ${servers} cannot be encrypted: ${said.trim()}.`, {
    hint: 'Check certificate and key of this side (TROUPE_NATS_CERT, TROUPE_NATS_KEY), and whether the server wants them.',
  });
}

function encryption(cause: unknown, message: string, { hint }: { hint: string }): TroupeError {
  return new TroupeError('TRP_BUS_SERVER', message, { hint, cause });
}

function certificateHint(code: string): string | undefined {
  return unsigned.test(code) ? unknownSigner : certificateHints[code];
}

function unreachable(error: unknown, servers: string): TroupeError {
  const why = reasonOf(error);
  const message = `There is no NATS server at ${servers}${why === undefined ? '' : `: ${why}`}.`;
  return new TroupeError('TRP_BUS_SERVER', message, {
    hint: 'Start one (`nats-server -js`), or check address and port.',
    errorClass: 'transient',
    cause: error,
  });
}

/** Undefined: nothing listens there, which the message says by itself. */
function reasonOf(error: unknown): string | undefined {
  const code = codeOf(error);
  if (code === 'CONNECTION_REFUSED') return undefined;
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'the name is not known';
  return messageOf(error);
}

function codeOf(error: unknown): string {
  if (error instanceof NatsError && error.chainedError) {
    const inner = codeOf(error.chainedError);
    if (inner !== '' && error.code === 'TLS') return inner;
  }
  const code: unknown = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : '';
}
