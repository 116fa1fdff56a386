import { errorCodes, TroupeError } from '../../core/errors.ts';
import type { ErrorClass, ErrorCode } from '../../core/errors.ts';
import { retryAfterMs } from '../../policies/retry-after.ts';
import { failureOf } from './call-failure.mjs';

/** Longest message of a foreign error that is kept: it is journaled and shown. In characters. */
const maxMessageLength = 4_000;

const classes: ReadonlySet<unknown> = new Set<ErrorClass>([
  'transient',
  'permanent',
  'timeout',
  'cancelled',
  'lost',
]);

/**
 * Anything that a behaviour threw, as a TroupeError. Never throws itself, whatever the value does when it
 * is looked at. An object that carries one of our codes (it crossed a thread, or another copy of Troupe
 * made it) keeps code, class, place and hint; everything else is TRP_ATTEMPT_FAILED, transient unless the
 * value's own `errorClass` says otherwise. What it says about waiting is kept.
 * @param nowMs wall time, from which a date counts; default: dates are past
 */
export function attemptError(thrown: unknown, nowMs = Infinity): TroupeError {
  if (thrown instanceof TroupeError) return thrown;
  const code = property(thrown, 'code');
  const known = typeof code === 'string' && Object.hasOwn(errorCodes, code);
  const errorClass = property(thrown, 'errorClass');
  const place = property(thrown, 'place');
  const hint = property(thrown, 'hint');
  const waitMs = retryAfterMs(failureOf(thrown), nowMs);
  return new TroupeError(known ? (code as ErrorCode) : 'TRP_ATTEMPT_FAILED', describe(thrown), {
    cause: thrown,
    errorClass: classes.has(errorClass) ? (errorClass as ErrorClass) : 'transient',
    ...(typeof place === 'string' ? { place } : {}),
    ...(typeof hint === 'string' ? { hint } : {}),
    ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }),
  });
}

function property(value: unknown, name: string): unknown {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function'))
    return undefined;
  try {
    return (value as Record<string, unknown>)[name];
  } catch {
    return undefined;
  }
}

function describe(thrown: unknown): string {
  const message = property(thrown, 'message');
  if (typeof message === 'string' && message !== '') return shortened(message);
  try {
    return shortened(String(thrown));
  } catch {
    return 'Something was thrown that cannot be shown.';
  }
}

function shortened(text: string): string {
  return text.length > maxMessageLength ? `${text.slice(0, maxMessageLength)}…` : text;
}
