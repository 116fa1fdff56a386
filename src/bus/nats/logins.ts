import { readFileSync } from 'node:fs';
import { credsAuthenticator, nkeyAuthenticator, nkeys } from 'nats';
import type { Authenticator } from 'nats';
import { messageOf, TroupeError } from '../../core/errors.ts';
import type { NatsBusOptions } from './bus-options.ts';

/**
 * How the client says who it is. What cannot work is told here: the client would report a server that is not there.
 * @param login the address that holds a user, a password or a token
 * @throws TroupeError TRP_OPTION_INVALID, without any secret
 */
export function natsLogins(
  { credentialsFile, nkeySeed, nkeyFile }: NatsBusOptions,
  login: URL | undefined,
): Authenticator[] {
  const found: Authenticator[] = [];
  if (login) found.push(fromAddress(login));
  if (nkeySeed !== undefined) found.push(fromSeed(nkeySeed, undefined));
  if (nkeyFile !== undefined) found.push(fromSeed(readSecret(nkeyFile).toString(), nkeyFile));
  if (credentialsFile !== undefined) found.push(fromCredentials(credentialsFile));
  return found;
}

/**
 * What a file holds that connecting needs.
 * @throws TroupeError TRP_OPTION_INVALID
 */
export function readSecret(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const message = `A file for the login or the encryption cannot be read: ${messageOf(error)}.`;
    throw new TroupeError('TRP_OPTION_INVALID', message, { place: path, cause: error });
  }
}

function fromAddress({ username, password }: URL): Authenticator {
  const [user, pass] = [decoded(username), decoded(password)];
  const login = pass === '' ? { auth_token: user } : { user, pass };
  return () => login;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    const message = 'The address of the NATS server holds a login that is malformed.';
    const hint = 'Percent-encode what is special in user and password; a % itself is %25.';
    throw new TroupeError('TRP_OPTION_INVALID', message, { hint });
  }
}

/** Other lines than the seed may stand in a file of the usual tools. */
function fromSeed(text: string, place: string | undefined): Authenticator {
  const seed = /\bSU[A-Z2-7]{56}\b/.exec(text)?.[0] ?? '';
  try {
    nkeys.fromSeed(Buffer.from(seed));
  } catch {
    const message = 'The seed of the nkey is malformed: it is that of a user, 58 letters from SU.';
    throw new TroupeError('TRP_OPTION_INVALID', message, place === undefined ? {} : { place });
  }
  return nkeyAuthenticator(Buffer.from(seed));
}

/** Read at once, so that a file that is no good is told now; and again for each connection, as they are renewed. */
function fromCredentials(path: string): Authenticator {
  let known = readSecret(path);
  checkCredentials(known, path);
  return credsAuthenticator(() => {
    try {
      const renewed = readSecret(path);
      checkCredentials(renewed, path);
      known = renewed;
    } catch {
      // The client would give up for good; the old ones may still do.
    }
    return known;
  });
}

/** A file that is half written while it is renewed counts as none. */
function checkCredentials(bytes: Uint8Array, place: string): void {
  try {
    credsAuthenticator(() => bytes)('nonce');
  } catch {
    const message = 'The file of credentials holds no JWT with its seed.';
    throw new TroupeError('TRP_OPTION_INVALID', message, { place });
  }
}
