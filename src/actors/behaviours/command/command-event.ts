import { TroupeError } from '../../../core/errors.ts';
import type { Plain, PlainObject } from '../../../core/plain.ts';
import type { MemoryChange } from '../../../journal/record.ts';
import type { Progress, Usage } from '../behaviour.ts';

/** What one line of a program means. */
export type CommandEvent =
  | { readonly type: 'progress'; readonly progress: Progress }
  | { readonly type: 'step'; readonly name: string; readonly value: Plain }
  | { readonly type: 'memory'; readonly change: MemoryChange }
  | { readonly type: 'result'; readonly output: Plain }
  | { readonly type: 'error'; readonly message: string; readonly errorClass: Plain }
  /** What was used since the last one. */
  | { readonly type: 'usage'; readonly usage: Usage }
  /** The provider refuses calls for a while. */
  | { readonly type: 'rate_limited'; readonly retryAfterMs: number | undefined }
  /** Of a kind that is not known here: programs may say more than we understand. */
  | { readonly type: 'other' };

/**
 * Reads one value as an event; `untyped` when it is not an object with a `type`.
 * A result may call its output `result`, and say `is_error`, as the command-line agents do that print such lines.
 * @throws TroupeError TRP_COMMAND_OUTPUT when a known event lacks a part.
 */
export function readEvent(value: Plain): CommandEvent | 'untyped' {
  if (!isObject(value) || typeof value['type'] !== 'string') return 'untyped';
  const read = Object.hasOwn(readers, value['type']) ? readers[value['type']] : undefined;
  return read ? read(value) : { type: 'other' };
}

const readers: { readonly [type: string]: (event: PlainObject) => CommandEvent } = {
  progress: readProgress,
  partial: ({ value = null }) => ({ type: 'progress', progress: { partial: value } }),
  step: (event) => ({ type: 'step', name: textOf(event, 'name'), value: event['value'] ?? null }),
  memory: readMemory,
  result: readResult,
  usage: readUsage,
  rate_limited: ({ retry_after_ms: afterMs }) => ({
    type: 'rate_limited',
    retryAfterMs: typeof afterMs === 'number' && afterMs >= 0 ? afterMs : undefined,
  }),
  error: (event) => ({
    type: 'error',
    message: textOf(event, 'message'),
    errorClass: event['error_class'] ?? null,
  }),
};

function readProgress({ fraction, message, partial }: PlainObject): CommandEvent {
  const progress: Progress = {
    ...(typeof fraction === 'number' ? { fraction: Math.min(1, Math.max(0, fraction)) } : {}),
    ...(typeof message === 'string' ? { message } : {}),
    ...(partial === undefined ? {} : { partial }),
  };
  return { type: 'progress', progress };
}

function readUsage(event: PlainObject): CommandEvent {
  const usage: { [name: string]: number } = {};
  for (const name of ['input_tokens', 'output_tokens', 'cost']) {
    const amount = event[name];
    if (typeof amount === 'number') usage[name] = amount;
  }
  return { type: 'usage', usage };
}

function readMemory(event: PlainObject): CommandEvent {
  const key = textOf(event, 'key');
  if (event['deleted'] === true) return { type: 'memory', change: { key, deleted: true } };
  const value = event['value'];
  if (value === undefined) throw incomplete(event, 'value');
  return { type: 'memory', change: { key, value } };
}

function readResult(event: PlainObject): CommandEvent {
  const output = event['output'] ?? event['result'] ?? null;
  if (event['is_error'] !== true) return { type: 'result', output };
  return {
    type: 'error',
    message: typeof output === 'string' ? output : 'The program reported an error.',
    errorClass: null,
  };
}

function textOf(event: PlainObject, name: string): string {
  const text = event[name];
  if (typeof text !== 'string' || text === '') throw incomplete(event, name);
  return text;
}

function incomplete(event: PlainObject, name: string): TroupeError {
  const message = `The program's output cannot be used: an event of type ${JSON.stringify(event['type'])} lacks "${name}".`;
  return new TroupeError('TRP_COMMAND_OUTPUT', message);
}

function isObject(value: Plain): value is PlainObject {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Uint8Array)
  );
}
