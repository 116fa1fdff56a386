import { connect } from 'nats';
import type { NatsConnection } from 'nats';
import type { TimerHandle } from '../../core/clock.ts';
import { checkNamespace } from '../carriers.ts';
import type { NatsBusOptions } from './bus-options.ts';
import { ClientLink } from './client-link.ts';
import { clientOptions } from './client-options.ts';
import type { ClientOptions } from './client-options.ts';
import { connectFailure, connectTimeout } from './connect-failure.ts';
import { parseVersion, versionFault } from './server-version.ts';

const defaultOutboxBytes = 8 * 1_048_576;

/**
 * Connects to a server, within the time of the options. Rejects with TRP_BUS_SERVER when it is not there or too old, with TRP_BUS_DENIED when it
 * refuses the login or the inbox, with TRP_OPTION_INVALID for malformed options
 * and with TRP_BUS_SUBJECT for a bad namespace.
 */
export async function openLink(options: NatsBusOptions): Promise<ClientLink> {
  const ns = options.ns ?? 'default';
  checkNamespace(ns);
  const client = clientOptions(options);
  const { clock } = options;
  let timer: TimerHandle;
  const tooLate = new Promise<never>((_, reject) => {
    const late = (): void => reject(connectTimeout(client));
    timer = clock.setTimeout(late, client.withinMs);
  });
  try {
    const connection = await dial(client, tooLate);
    return await linkOf(connection, { options, ns, inbox: client.inbox, tooLate });
  } finally {
    clock.clearTimeout(timer);
  }
}

/** The client has no limit of its own for looking names up, and one per address for the rest. */
async function dial(client: ClientOptions, tooLate: Promise<never>): Promise<NatsConnection> {
  const dialing = connect(client.connection);
  try {
    return await Promise.race([dialing, tooLate]);
  } catch (error) {
    dialing.then(
      (late) => late.close(),
      () => undefined,
    );
    throw connectFailure(error, client);
  }
}

interface LinkParts {
  readonly options: NatsBusOptions;
  readonly ns: string;
  readonly inbox: string;
  /** Rejects when the time for connecting is over. */
  readonly tooLate: Promise<never>;
}

async function linkOf(connection: NatsConnection, parts: LinkParts): Promise<ClientLink> {
  const { options, ns, inbox, tooLate } = parts;
  const fault = versionFault(parseVersion(connection.info?.version ?? ''));
  if (fault) {
    await connection.close();
    throw fault;
  }
  const link = new ClientLink(connection, {
    ns,
    clock: options.clock,
    schedule: options.schedule,
    inbox,
    outboxBytes: options.outboxBytes ?? defaultOutboxBytes,
    onError: options.onError ?? (() => undefined),
  });
  try {
    // A server that ends connections at once would be waited for without end.
    await Promise.race([link.ready(), tooLate]);
    return link;
  } catch (error) {
    await link.close();
    throw error;
  }
}
