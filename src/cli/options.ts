import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { TroupeError } from '../core/errors.ts';
import type { DurabilityLevel } from '../journal/journal.ts';
import type { TroupeOptions } from '../runtime/api.ts';
import type { Shell } from './shell.ts';

/** Where runs are kept when nothing says otherwise. */
const defaultDataFolder = '.troupe';

/** What `--level` takes. */
export const levels = ['memory', 'process', 'power'] as const satisfies readonly DurabilityLevel[];

/** Options of every command that reads or writes runs. */
export interface DataOptions {
  readonly data?: string;
  /** Where a command only looks: runs whose journals are on this bus. */
  readonly bus?: string;
}

/** The options of a process that carries runs. */
export interface EngineOptions extends DataOptions {
  readonly level?: DurabilityLevel;
  readonly concurrency?: number | 'auto';
  /** `kind=units`, several times. */
  readonly resource?: readonly string[];
  readonly bus?: string;
  /** Where journals are. Default: TROUPE_JOURNAL, else `file`. */
  readonly journal?: 'file' | 'bus';
  readonly serverSync?: 'always';
}

/**
 * The data folder: `--data`, else TROUPE_DATA, else `.troupe` in the working folder; absolute.
 * @throws TroupeError TRP_OPTION_INVALID when it is a file.
 */
export function dataFolder(shell: Shell, options: DataOptions): string {
  const named = options.data ?? (shell.env['TROUPE_DATA'] || defaultDataFolder);
  const folder = resolve(shell.cwd, named);
  if (!isFile(folder)) return folder;
  const message = `${JSON.stringify(named)} is a file, not a folder`;
  throw new TroupeError('TRP_OPTION_INVALID', message, {
    hint: 'Name a folder with --data or TROUPE_DATA; it is made when it is missing.',
  });
}

/** What cannot be looked at is left to those who use it: their errors say more. */
function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** The bus: `--bus`, else TROUPE_BUS; undefined: the document may say. */
export function busChoice(shell: Shell, options: { readonly bus?: string }): string | undefined {
  return options.bus ?? (shell.env['TROUPE_BUS'] || undefined);
}

/** Whether a command that carries runs keeps their journals on the bus: `--journal`, else TROUPE_JOURNAL. */
export function isJournalOnBus(
  shell: Shell,
  { journal }: Pick<EngineOptions, 'journal'> = {},
): boolean {
  return (journal ?? shell.env['TROUPE_JOURNAL']) === 'bus';
}

/** Units by kind of `--resource kind=units`; the last one of a kind counts. */
function sharedUnits(given: readonly string[]): { readonly [kind: string]: number } {
  return Object.fromEntries(
    given.map((text) => {
      const cut = text.lastIndexOf('=');
      const units = text.slice(cut + 1);
      if (cut > 0 && /^\d+(?:\.\d+)?$/.test(units)) return [text.slice(0, cut), Number(units)];
      const message = `--resource is ${JSON.stringify(text)}; expected a kind and its units, such as gpu=2`;
      throw new TroupeError('TRP_OPTION_INVALID', message);
    }),
  );
}

/** What to make a Troupe with. At level `memory` nothing is written, so there is no folder. */
export function troupeOptions(shell: Shell, options: EngineOptions): TroupeOptions {
  const { level, concurrency, resource } = options;
  const bus = busChoice(shell, options);
  const isOnBus = level !== 'memory' && isJournalOnBus(shell, options);
  return {
    ...(isOnBus ? { journal: 'bus' } : {}),
    ...(options.serverSync === undefined ? {} : { serverSync: options.serverSync }),
    ...(level === 'memory' ? {} : { dataDir: dataFolder(shell, options) }),
    ...(level === undefined ? {} : { level }),
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(resource === undefined ? {} : { resources: sharedUnits(resource) }),
    ...(bus === undefined ? {} : { bus }),
  };
}
