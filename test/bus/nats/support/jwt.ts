import { createHash } from 'node:crypto';
import { nkeys } from 'nats';

type KeyPair = ReturnType<typeof nkeys.createUser>;

/** Who makes users of an account, as an operator of NATS does. */
export interface JwtIssuer {
  /** Lines for the server's configuration. */
  readonly config: string;
  /** The text of a file of credentials. @param expires seconds since the epoch */
  credentials(expires?: number): string;
}

/** An operator with one account, as described in the documentation of nats-server's JWTs. */
export function createJwtIssuer(): JwtIssuer {
  const [operator, account] = [nkeys.createOperator(), nkeys.createAccount()];
  const [operatorKey, accountKey] = [operator.getPublicKey(), account.getPublicKey()];
  const operatorJwt = token(operator, operatorKey, { type: 'operator', version: 2 });
  const none = -1;
  const limits = { subs: none, data: none, payload: none, conn: none, imports: none };
  const accountJwt = token(operator, accountKey, {
    type: 'account',
    version: 2,
    limits: { ...limits, exports: none, leaf: none, wildcards: true },
  });
  return {
    config: [
      `operator: ${operatorJwt}`,
      'resolver: MEMORY',
      `resolver_preload: { ${accountKey}: ${accountJwt} }`,
    ].join('\n'),
    credentials: (expires) => {
      const user = nkeys.createUser();
      const claims = { type: 'user', version: 2, subs: none, data: none, payload: none };
      const jwt = token(account, user.getPublicKey(), claims, expires);
      const seed = Buffer.from(user.getSeed()).toString();
      return [
        '-----BEGIN NATS USER JWT-----',
        jwt,
        '------END NATS USER JWT------',
        '',
        '-----BEGIN USER NKEY SEED-----',
        seed,
        '------END USER NKEY SEED------',
        '',
      ].join('\n');
    },
  };
}

function token(issuer: KeyPair, subject: string, nats: object, exp?: number): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const issued = Math.floor(Date.now() / 1_000);
  const claims = { iat: issued, iss: issuer.getPublicKey(), name: 'test', sub: subject, nats };
  const jti = createHash('sha256').update(JSON.stringify(claims)).digest('hex');
  const head = part({ typ: 'JWT', alg: 'ed25519-nkey' });
  const body = part({ ...claims, jti, ...(exp === undefined ? {} : { exp }) });
  const signature = issuer.sign(Buffer.from(`${head}.${body}`));
  return `${head}.${body}.${Buffer.from(signature).toString('base64url')}`;
}
