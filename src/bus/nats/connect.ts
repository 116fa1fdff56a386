import { maxPayloadBytes } from '../payload.ts';
import type { Bus } from '../bus.ts';
import type { NatsBusOptions } from './bus-options.ts';
import { NatsBus } from './nats-bus.ts';
import { openLink } from './open-link.ts';

export type { NatsBusOptions } from './bus-options.ts';

const defaultCloseTimeoutMs = 5_000;

/**
 * The bus on a NATS server. It reconnects for ever; JetStream is needed only by queues, logs, keys and blobs, which
 * reject with TRP_BUS_SERVER where there is none.
 * @throws TroupeError TRP_BUS_SERVER when the server is not there or too old, TRP_BUS_DENIED when it refuses the login or
 * the inbox, TRP_OPTION_INVALID and TRP_BUS_SUBJECT for malformed options.
 */
export async function connectNats(options: NatsBusOptions): Promise<Bus> {
  const link = await openLink(options);
  return new NatsBus({
    link,
    maxPayloadBytes: options.maxPayloadBytes ?? maxPayloadBytes,
    closeTimeoutMs: options.closeTimeoutMs ?? defaultCloseTimeoutMs,
    replicas: options.replicas ?? 1,
  });
}
