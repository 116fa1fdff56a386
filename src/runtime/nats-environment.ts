import type { NatsBusOptions } from '../bus/nats/bus-options.ts';

/** How a process says who it is to NATS servers, and how it encrypts. */
export type NatsEnvironment = Pick<NatsBusOptions, 'credentialsFile' | 'nkeyFile' | 'tls'>;

/**
 * What the environment says of connections to servers that are named by their address. All are names of files, so that
 * no secret is handed on to the programs that agents run: TROUPE_NATS_CREDENTIALS, TROUPE_NATS_NKEY, and for
 * encryption TROUPE_NATS_CA, TROUPE_NATS_CERT and TROUPE_NATS_KEY. Empty ones count as absent.
 */
export function natsEnvironment(env: {
  readonly [name: string]: string | undefined;
}): NatsEnvironment {
  const file = <K extends string>(key: K, variable: string): { readonly [key in K]?: string } => {
    const path = env[`TROUPE_NATS_${variable}`] || undefined;
    return (path === undefined ? {} : { [key]: path }) as { readonly [key in K]?: string };
  };
  const tls = { ...file('caFile', 'CA'), ...file('certFile', 'CERT'), ...file('keyFile', 'KEY') };
  return {
    ...file('credentialsFile', 'CREDENTIALS'),
    ...file('nkeyFile', 'NKEY'),
    ...(Object.keys(tls).length === 0 ? {} : { tls }),
  };
}
