import type { Bus } from '../bus/bus.ts';
import type { JournalStore } from '../journal/journal.ts';
import { leaseTerms } from '../journal/lease.ts';
import type { TroupeConfig } from './options.ts';

/** Opens the journal that the configuration asks for. Stores are loaded only when they are used. */
export async function openStore(config: TroupeConfig, bus: Bus): Promise<JournalStore> {
  const { dataDir, level, journal, clock, ids } = config;
  const node = ids.node();
  if (journal === 'bus') {
    const { openBusStore } = await import('../journal/stores/bus-store/bus-store.ts');
    const { withBlobs } = await import('../journal/blobs/with-blobs.ts');
    const { runBlobs } = await import('../journal/stores/bus-store/run-blobs.ts');
    const terms = leaseTerms(config.leaseMs);
    const store = openBusStore({ bus, node, clock, level, terms, schedule: setImmediate });
    return withBlobs(store, (run) => runBlobs(bus, run));
  }
  if (dataDir === undefined || level === 'memory' || journal === 'memory') {
    const { createMemoryStore } = await import('../journal/stores/memory-store.ts');
    return createMemoryStore(node);
  }
  const { openFileStore } = await import('../journal/stores/file-store/file-store.ts');
  return openFileStore({ dataDir, level, node, now: () => clock.now(), schedule: setImmediate });
}
