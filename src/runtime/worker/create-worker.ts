import { openBus } from '../open-bus.ts';
import type { WorkerHost, WorkerOptions } from './api.ts';
import { workerConfig } from './worker-config.ts';
import { LocalWorkerHost } from './worker-host.ts';

/**
 * Makes this process a worker host: it takes attempts from the queues of its pools and carries them out, until it is
 * drained or closed. What it may run is said here, never by those who send work.
 * @throws TroupeError TRP_OPTION_INVALID, and TRP_BUS_SERVER when the bus cannot be opened
 */
export async function createWorker(options: WorkerOptions): Promise<WorkerHost> {
  const config = workerConfig(options);
  if (typeof config.bus !== 'string')
    return new LocalWorkerHost({ config, bus: config.bus, closeBus: () => Promise.resolve() });
  const { clock, logger, ns, bus: choice } = config;
  const open = await openBus(choice, { clock, logger, ns, dataDir: undefined });
  return new LocalWorkerHost({ config, bus: open.bus, closeBus: () => open.close() });
}
