import { maxPayloadBytes } from '../payload.ts';
import { checkNamespace } from '../subjects.ts';
import { ConnectedBus } from './connected-bus.ts';
import type { EmbeddedBus, EmbeddedBusOptions } from './embedded-contract.ts';
import { Server } from './server.ts';

export type { EmbeddedBus, EmbeddedBusOptions } from './embedded-contract.ts';

const defaultMaxPending = 262_144;

/**
 * Makes the bus that lives in this process.
 * @throws TroupeError TRP_BUS_SUBJECT for a bad namespace.
 */
export function createEmbeddedBus(options: EmbeddedBusOptions): EmbeddedBus {
  const { clock, schedule, ns = 'default', faults, seed = 1, onError = () => undefined } = options;
  checkNamespace(ns);
  return new ConnectedBus({
    server: new Server({ clock, schedule, faults, seed, onError: (error) => onError(error, '') }),
    ns,
    clock,
    schedule,
    maxBytes: options.maxPayloadBytes ?? maxPayloadBytes,
    maxPending: options.maxPending ?? defaultMaxPending,
    onError,
  });
}
