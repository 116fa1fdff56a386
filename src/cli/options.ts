import { resolve } from 'node:path';
import { parseDuration } from '../core/duration.ts';
import { TroupeError } from '../core/errors.ts';
import type { DurabilityLevel } from '../journal/journal.ts';
import type { TroupeOptions } from '../runtime/api.ts';
import type { Shell } from './shell.ts';

/** Where runs are kept when nothing says otherwise. */
const defaultDataFolder = '.troupe';

const levels: readonly string[] = ['memory', 'process', 'power'] satisfies DurabilityLevel[];

/** Options of every command that reads or writes runs. */
export interface DataOptions {
  readonly data?: string;
}

/** The options of a process that carries runs. */
export interface EngineOptions extends DataOptions {
  readonly level?: DurabilityLevel;
  readonly concurrency?: number;
}

/** The data folder: `--data`, else TROUPE_DATA, else `.troupe` in the working folder; absolute. */
export function dataFolder(shell: Shell, options: DataOptions): string {
  const named = options.data ?? (shell.env['TROUPE_DATA'] || defaultDataFolder);
  return resolve(shell.cwd, named);
}

/** What to make a Troupe with. At level `memory` nothing is written, so there is no folder. */
export function troupeOptions(shell: Shell, options: EngineOptions): TroupeOptions {
  const { level, concurrency } = options;
  return {
    ...(level === 'memory' ? {} : { dataDir: dataFolder(shell, options) }),
    ...(level === undefined ? {} : { level }),
    ...(concurrency === undefined ? {} : { concurrency }),
  };
}

/** Collects an option that may be given several times. */
export function collect(text: string, earlier: readonly string[] = []): readonly string[] {
  return [...earlier, text];
}

/** A whole number of at least `least`, for `option`. */
export function wholeNumber(option: string, least: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (Number.isSafeInteger(value) && value >= least) return value;
    throw invalid(option, text, `a whole number of at least ${least}`);
  };
}

/** Milliseconds of a duration such as `90s` or `1h30m`, for `option`. */
export function duration(option: string): (text: string) => number {
  return (text) => {
    const value = parseDuration(/^\d+$/.test(text) ? Number(text) : text);
    if (value !== undefined && value > 0) return value;
    throw invalid(option, text, 'a duration such as 90s, 10m or 1h30m');
  };
}

/** One of the durability levels. */
export function durabilityLevel(text: string): DurabilityLevel {
  if (levels.includes(text)) return text as DurabilityLevel;
  throw invalid('--level', text, 'memory, process or power');
}

/** One word of a list, for `option`. */
export function oneOf<Word extends string>(option: string, words: readonly Word[]): (text: string) => Word {
  return (text) => {
    const found = words.find((word) => word === text);
    if (found !== undefined) return found;
    throw invalid(option, text, words.join(', '));
  };
}

function invalid(option: string, text: string, expected: string): TroupeError {
  return new TroupeError('TRP_OPTION_INVALID', `${option} is ${JSON.stringify(text)}; expected ${expected}`);
}
