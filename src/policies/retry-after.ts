import { parseInstant } from '../core/instant.ts';

/** What an error says about waiting, as far as it could be read. */
export interface WaitHint {
  readonly retryAfterMs?: unknown;
  /** Seconds, or an HTTP date. */
  readonly retryAfter?: unknown;
  /** Names in lower case. */
  readonly headers?: { readonly [name: string]: string } | undefined;
}

/** Milliseconds to wait from `nowMs` (wall time) on, 0 or more; undefined: nothing is said, or nothing that makes sense. */
export function retryAfterMs(hint: WaitHint, nowMs: number): number | undefined {
  const { headers } = hint;
  return (
    milliseconds(hint.retryAfterMs) ??
    milliseconds(headers?.['retry-after-ms']) ??
    secondsOrDate(hint.retryAfter, nowMs) ??
    secondsOrDate(headers?.['retry-after'], nowMs)
  );
}

/** A limit that a provider names in its answer; undefined: none, or nothing above 0. */
export function announcedLimit(
  headers: { readonly [name: string]: string } | undefined,
  kind: 'requests' | 'tokens',
): number | undefined {
  for (const prefix of ['x-ratelimit-limit-', 'anthropic-ratelimit-']) {
    const name = prefix.startsWith('x-') ? `${prefix}${kind}` : `${prefix}${kind}-limit`;
    const limit = milliseconds(headers?.[name]);
    if (limit !== undefined && limit > 0) return limit;
  }
  return undefined;
}

function milliseconds(value: unknown): number | undefined {
  if (typeof value === 'string' && value.trim() === '') return undefined;
  const number = typeof value === 'string' || typeof value === 'number' ? Number(value) : NaN;
  return Number.isFinite(number) && number >= 0 ? number : undefined;
}

function secondsOrDate(value: unknown, nowMs: number): number | undefined {
  const seconds = milliseconds(value);
  if (seconds !== undefined) return seconds * 1000;
  if (typeof value !== 'string') return undefined;
  const at = httpDate(value);
  return at === undefined ? undefined : Math.max(0, at - nowMs);
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const httpDateForm = /^[A-Z][a-z]{2}, (\d{2}) ([A-Z][a-z]{2}) (\d{4}) (\d{2}:\d{2}:\d{2}) GMT$/;

/** `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, the form that is to be sent), or an instant of RFC 3339. */
function httpDate(text: string): number | undefined {
  const [, day = '', name = '', year = '', time = ''] = httpDateForm.exec(text.trim()) ?? [];
  const month = `${months.indexOf(name) + 1}`.padStart(2, '0');
  return parseInstant(day === '' ? text : `${year}-${month}-${day}T${time}Z`);
}
