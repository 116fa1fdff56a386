import { join } from 'node:path';
import type { Bus } from '../bus/bus.ts';
import { createEmbeddedBus } from '../bus/embedded/embedded-bus.ts';
import { withoutLogin } from '../core/bus-choice.ts';
import { systemClock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import { connectBus } from './connect-bus.ts';
import { natsEnvironment } from './nats-environment.ts';
import type { NatsEnvironment } from './nats-environment.ts';
import type { TroupeConfig } from './options.ts';

/** A bus that was opened, and how it is let go of. */
export interface OpenBus {
  readonly bus: Bus;
  /** For people; holds no secret. */
  readonly name: string;
  close(): Promise<void>;
}

/** What is needed to open one. */
type Surroundings = Pick<TroupeConfig, 'clock' | 'logger' | 'ns' | 'dataDir'>;

/**
 * Opens a bus by what it is named; drivers load when they are used.
 * Rejects with TRP_BUS_SERVER when there is no server, or none can be started.
 */
export async function openBus(choice: string, config: Surroundings): Promise<OpenBus> {
  if (choice === 'embedded') {
    const bus = embeddedBus(config);
    return { bus, name: choice, close: () => bus.close() };
  }
  if (choice !== 'nats') return connected(choice, config, natsEnvironment(process.env));
  const { startLocalServer } = await import('../bus/nats/local-server.ts');
  const binary = process.env['TROUPE_NATS_SERVER'] || undefined;
  const server = await startLocalServer({
    clock: systemClock,
    // Processes that share a data folder share the server.
    ...(config.dataDir === undefined ? {} : { folder: join(config.dataDir, 'nats') }),
    ...(binary === undefined ? {} : { binary }),
  });
  try {
    const { bus } = await connected(server.url, config, {});
    const close = async (): Promise<void> => {
      await bus.close();
      await server.stop();
    };
    return { bus, name: choice, close };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/** The bus of this process alone. */
function embeddedBus({ clock, logger, ns }: Surroundings): Bus {
  return createEmbeddedBus({
    clock,
    ns,
    schedule: setImmediate,
    onError: (error, subject) =>
      logger.warn('a subscriber threw', { subject, message: messageOf(error) }),
  });
}

async function connected(
  url: string,
  { logger, ns }: Surroundings,
  login: NatsEnvironment,
): Promise<OpenBus> {
  const bus = await connectBus({ url, ns, logger, ...login });
  return { bus, name: withoutLogin(url), close: () => bus.close() };
}
