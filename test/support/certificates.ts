import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A certificate and its key, as files. */
export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** Certificates that one signer has made; files in a folder of the test's. */
export interface Signer {
  readonly caFile: string;
  /**
   * @param names what it is good for, as openssl spells it: `IP:127.0.0.1`
   * @param days how long it is good; below 0 it has expired
   */
  sign(name: string, names: string, days?: number): CertificateFiles;
}

const keyOptions = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/** A signer of its own, by the program openssl, which the systems that run the tests have. */
export function createSigner(folder: string, name = 'ca'): Signer {
  const at = (file: string): string => join(folder, file);
  const openssl = (...args: readonly string[]): void =>
    void execFileSync('openssl', args, { stdio: 'pipe' });
  const [caFile, caKey] = [at(`${name}.pem`), at(`${name}.key`)];
  const self = ['-x509', '-keyout', caKey, '-out', caFile, '-days', '2', '-subj', `/CN=${name}`];
  openssl('req', ...keyOptions, ...self);
  return {
    caFile,
    sign: (subject, names, days = 2) => {
      const [certFile, keyFile] = [at(`${subject}.pem`), at(`${subject}.key`)];
      const [request, extensions] = [at(`${subject}.csr`), at(`${subject}.ext`)];
      writeFileSync(extensions, `subjectAltName=${names}`);
      openssl('req', ...keyOptions, '-keyout', keyFile, '-out', request, '-subj', `/CN=${subject}`);
      const by = ['-CA', caFile, '-CAkey', caKey, '-CAcreateserial', '-days', String(days)];
      openssl('x509', '-req', '-in', request, ...by, '-extfile', extensions, '-out', certFile);
      return { certFile, keyFile };
    },
  };
}
