import { isBusAddress, withoutLogin } from '../core/bus-choice.ts';
import { silentLogger } from '../core/log.ts';
import type { Logger } from '../core/log.ts';
import type { OutputOptions } from './output.ts';
import { painter } from './render/painter.ts';
import { oneLine } from './render/width.ts';
import type { Shell } from './shell.ts';

/** A logger that shows the warnings that tell the next step, each text once, on standard error. */
export function noticeLogger(shell: Shell): Logger {
  const paint = painter(shell.colours.err);
  const told = new Set<string>();
  const warn: Logger['warn'] = (message, { next } = {}) => {
    if (typeof next !== 'string' || told.has(message)) return;
    told.add(message);
    shell.err(`${paint.warn('warning')}  ${oneLine(message)}\n  next: ${oneLine(next)}\n`);
  };
  return { ...silentLogger, warn };
}

/** Where a run can be watched, as one line; undefined: on no server. */
function shownText(bus: string | undefined, run: string): string | undefined {
  if (bus === undefined || bus === 'embedded') return undefined;
  const subject = `troupe.v1.default.mem.${run}.>`;
  if (!isBusAddress(bus)) return `shown  on a local server, namespace default, as ${subject}\n`;
  const url = withoutLogin(bus);
  return `shown  in namespace default: nats sub -s ${url} '${subject}'\n`;
}

/** Tells where a run can be watched, except where only results are wanted. */
export function tellShown(
  shell: Shell,
  { quiet, json, jsonl }: OutputOptions & { readonly quiet?: boolean },
  { bus, run }: { readonly bus: string | undefined; readonly run: string },
): void {
  const text = shownText(bus, run);
  if (text !== undefined && quiet !== true && json !== true && jsonl !== true) shell.err(text);
}
