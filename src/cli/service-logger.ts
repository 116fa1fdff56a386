import type { Logger } from '../core/log.ts';
import type { PlainObject } from '../core/plain.ts';
import { oneLine } from './render/width.ts';
import type { Shell } from './shell.ts';

/** A logger for processes that serve: one line each on standard error, with time, level and fields as `name=value`. */
export function serviceLogger(shell: Shell): Logger {
  const line =
    (level: string) =>
    (message: string, fields: PlainObject = {}): void => {
      const at = new Date(shell.clock.now()).toISOString();
      const told = Object.entries(fields).map(([name, value]) => ` ${name}=${valueText(value)}`);
      shell.err(`${at} ${level.padEnd(5)} ${oneLine(message)}${told.join('')}\n`);
    };
  return { debug: () => undefined, info: line('info'), warn: line('warn'), error: line('error') };
}

/** Text without spaces stands as it is, everything else as JSON. */
function valueText(value: PlainObject[string]): string {
  return typeof value === 'string' && /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
}
