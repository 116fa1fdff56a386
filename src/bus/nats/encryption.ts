import { isIP } from 'node:net';
import { checkServerIdentity } from 'node:tls';
import type { PeerCertificate } from 'node:tls';
import type { TlsOptions } from 'nats';
import { TroupeError } from '../../core/errors.ts';
import type { NatsTlsOptions } from './bus-options.ts';
import { readSecret } from './logins.ts';

/** What the client hands on to Node.js. */
type Encryption = TlsOptions & { readonly checkServerIdentity: typeof checkServerIdentity };

/**
 * The encryption of a connection. The client says little of files that are not there, and takes a certificate without
 * its key; both are told here.
 * @param hosts names and numbers of the addresses that were given
 * @throws TroupeError TRP_OPTION_INVALID
 */
export function encryptionOf(tls: NatsTlsOptions, hosts: readonly string[]): Encryption {
  const { caFile, certFile, keyFile } = tls;
  for (const file of [caFile, certFile, keyFile]) if (file !== undefined) readSecret(file);
  if ((certFile === undefined) !== (keyFile === undefined)) {
    const message = 'A certificate and its key go together; only one of the two is given.';
    throw new TroupeError('TRP_OPTION_INVALID', message);
  }
  return { ...tls, checkServerIdentity: identityCheck(hosts) };
}

/**
 * The client tells Node.js no host when a server is addressed by number, and `localhost` is looked for in the
 * certificate then: servers would be refused that are right, and ones accepted that are not.
 */
function identityCheck(hosts: readonly string[]): typeof checkServerIdentity {
  const numbers = hosts.filter((host) => isIP(host) !== 0);
  const isNamed = hosts.includes('localhost');
  return (host: string, certificate: PeerCertificate) => {
    if (host !== 'localhost' || numbers.length === 0) return checkServerIdentity(host, certificate);
    const faults = [...numbers, ...(isNamed ? [host] : [])].map((one) =>
      checkServerIdentity(one, certificate),
    );
    return faults.includes(undefined) ? undefined : faults[0];
  };
}
