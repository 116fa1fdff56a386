import type { Bus } from '../bus/bus.ts';
import type { NatsBusOptions } from '../bus/nats/bus-options.ts';
import { systemClock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';

/** How a bus on a NATS server is reached. */
export interface ConnectBusOptions extends Omit<NatsBusOptions, 'clock' | 'schedule'> {
  /** Told what nobody else hears of, where there is no `onError`. Default: silent. */
  readonly logger?: Logger;
}

/**
 * Connects to a NATS server, for `createTroupe({ bus })` and `openSharedMemory({ bus })`. It reconnects for ever; who
 * made it closes it. The driver loads with the first call.
 * @throws TroupeError TRP_BUS_SERVER when no server is there, it is too old or not to be trusted; TRP_BUS_DENIED when it
 * refuses the login; TRP_OPTION_INVALID and TRP_BUS_SUBJECT for malformed options.
 */
export async function connectBus({ logger, ...options }: ConnectBusOptions): Promise<Bus> {
  const { connectNats } = await import('../bus/nats/connect.ts');
  const onError = (error: unknown, place: string): void =>
    logger?.warn('a fault on the bus', { place, message: messageOf(error) });
  // Servers live in real time, whatever clock the runs have.
  return connectNats({ onError, ...options, clock: systemClock, schedule: setImmediate });
}
