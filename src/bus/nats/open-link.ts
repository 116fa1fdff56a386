import { connect } from 'nats';
import type { NatsConnection } from 'nats';
import { TroupeError } from '../../core/errors.ts';
import { checkNamespace } from '../carriers.ts';
import { ClientLink } from './client-link.ts';
import { contractError } from './client-errors.ts';
import { clientOptions } from './client-options.ts';
import type { ClientOptions, NatsBusOptions } from './client-options.ts';
import { parseVersion, versionFault } from './server-version.ts';

const defaultOutboxBytes = 8 * 1_048_576;

/**
 * Connects to a server. Rejects with TRP_BUS_SERVER when it is not there or too old, with TRP_BUS_DENIED when it
 * refuses the login or the inbox, with TRP_OPTION_INVALID for malformed options
 * and with TRP_BUS_SUBJECT for a bad namespace.
 */
export async function openLink(options: NatsBusOptions): Promise<ClientLink> {
  const ns = options.ns ?? 'default';
  checkNamespace(ns);
  const client = clientOptions(options);
  const connection = await dial(client);
  const fault = versionFault(parseVersion(connection.info?.version ?? ''));
  if (fault) {
    await connection.close();
    throw fault;
  }
  const link = new ClientLink(connection, {
    ns,
    clock: options.clock,
    schedule: options.schedule,
    inbox: client.inbox,
    outboxBytes: options.outboxBytes ?? defaultOutboxBytes,
    onError: options.onError ?? (() => undefined),
  });
  try {
    await link.ready();
    return link;
  } catch (error) {
    await link.close();
    throw error;
  }
}

async function dial({ connection, servers }: ClientOptions): Promise<NatsConnection> {
  try {
    return await connect(connection);
  } catch (error) {
    const failure = contractError(error, `Connecting to ${servers}`);
    if (failure instanceof TroupeError && failure.code === 'TRP_BUS_DENIED') throw failure;
    throw new TroupeError('TRP_BUS_SERVER', `There is no NATS server at ${servers}.`, {
      hint: 'Start one (`nats-server -js`), or check address and port.',
      errorClass: 'transient',
      cause: failure,
    });
  }
}
