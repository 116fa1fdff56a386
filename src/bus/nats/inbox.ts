import { createInbox } from 'nats';
import type { NatsConnection } from 'nats';

/** A subject that nobody else has, under the prefix that this connection may subscribe to. */
export function newInbox(connection: NatsConnection): string {
  const { options } = connection as unknown as { options?: { inboxPrefix?: string } };
  return createInbox(options?.inboxPrefix);
}
