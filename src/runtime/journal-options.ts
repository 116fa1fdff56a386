import type { Bus } from '../bus/bus.ts';
import { TroupeError } from '../core/errors.ts';
import type { JournalStore } from '../journal/journal.ts';
import { leaseTerms } from '../journal/lease.ts';
import type { TroupeOptions } from './api.ts';
import type { TroupeConfig } from './options.ts';

/** Where journals are and what they survive. */
type JournalChoice = Pick<TroupeConfig, 'journal' | 'level'>;

const levels: readonly string[] = ['memory', 'process', 'power'];
const places: readonly string[] = ['memory', 'file', 'bus'];

/**
 * Fills in where journals are and what they survive.
 * @throws TroupeError TRP_OPTION_INVALID for what does not go together
 */
export function journalOf(options: TroupeOptions): JournalChoice {
  const { dataDir, level, journal = placeOf(options) } = options;
  if (level !== undefined && !levels.includes(level))
    throw invalid('level', level, levels.join(', '));
  if (!places.includes(journal)) throw invalid('journal', journal, places.join(', '));
  if (journal === 'bus') return onBus(options);
  if (journal === 'file' && dataDir === undefined)
    throw invalid('journal', journal, 'memory or bus, as long as there is no dataDir');
  if (level !== undefined && level !== 'memory' && journal === 'memory') {
    throw invalid('level', level, 'memory, as long as there is no dataDir');
  }
  return { journal, level: level ?? (journal === 'file' ? 'power' : 'memory') };
}

function placeOf({ dataDir, level }: TroupeOptions): 'memory' | 'file' {
  return dataDir === undefined || level === 'memory' ? 'memory' : 'file';
}

function onBus({ bus, level, serverSync }: TroupeOptions): JournalChoice {
  if (bus === undefined || bus === 'embedded')
    throw invalid('journal', 'bus', 'memory or file, as long as `bus` is embedded');
  if (level === 'memory')
    throw invalid('level', level, 'process or power with a journal on the bus');
  if (level === 'power' && serverSync !== 'always') {
    throw new TroupeError(
      'TRP_OPTION_INVALID',
      'The option level is "power"; on a bus that is the operator\'s word.',
      {
        hint: 'Set sync_interval: always on every server, then say so with serverSync: "always" (--server-sync always).',
      },
    );
  }
  return { journal: 'bus', level: serverSync === 'always' ? 'power' : 'process' };
}

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

function invalid(option: string, value: unknown, range: string): TroupeError {
  const message = `The option ${option} is ${JSON.stringify(value)}; it must be ${range}.`;
  return new TroupeError('TRP_OPTION_INVALID', message);
}
