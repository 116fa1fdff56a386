import { TroupeError } from '../core/errors.ts';
import type { DurabilityLevel } from '../journal/journal.ts';
import type { TroupeOptions } from './api.ts';

/** Where journals are and what they survive. */
interface JournalChoice {
  readonly journal: NonNullable<TroupeOptions['journal']>;
  readonly level: DurabilityLevel;
}

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
  if (journal === 'memory') return inMemory(options);
  if (dataDir === undefined)
    throw invalid('journal', journal, 'memory or bus, as long as there is no dataDir');
  return { journal, level: level ?? 'power' };
}

function inMemory({ level = 'memory' }: TroupeOptions): JournalChoice {
  if (level !== 'memory') throw invalid('level', level, 'memory, as long as there is no dataDir');
  return { journal: 'memory', level };
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

/** @throws TroupeError TRP_OPTION_INVALID for what needs every process to see the journals */
export function assertOnBus({ journal }: Pick<JournalChoice, 'journal'>, what: string): void {
  if (journal === 'bus') return;
  const message = `${what} needs journals on the bus, so that every process sees them.`;
  const hint = 'createTroupe({ journal: "bus", bus: "nats://..." }), or --journal bus --bus URL.';
  throw new TroupeError('TRP_OPTION_INVALID', message, { hint });
}

function invalid(option: string, value: unknown, range: string): TroupeError {
  const message = `The option ${option} is ${JSON.stringify(value)}; it must be ${range}.`;
  return new TroupeError('TRP_OPTION_INVALID', message);
}
