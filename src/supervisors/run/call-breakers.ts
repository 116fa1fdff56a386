import type { CallEnd, OutboundCall } from '../../actors/behaviours/behaviour.ts';
import { TroupeError } from '../../core/errors.ts';
import type { BreakerPermit, BreakerResult } from '../../policies/breaker.ts';
import { retryAfterMs } from '../../policies/retry-after.ts';
import type { RunBreaker } from './breaker-port.ts';
import { openError } from './breakers.ts';
import type { RunCore } from './core.ts';

/** What a call was let through by, to be told how it ended. */
export interface CallPassage {
  over(result: BreakerResult): void;
}

/** The breakers in the way of one call, from the outermost on. */
export function breakersOf({ breakers }: RunCore, call: OutboundCall): readonly RunBreaker[] {
  if (!breakers) return none;
  const names =
    'tool' in call
      ? [`tool:${call.tool}`]
      : [
          `provider:${call.provider}`,
          ...(call.model === undefined ? [] : [`model:${call.provider}/${call.model}`]),
        ];
  return names.map((name) => breakers.find(name)).filter((found) => found !== undefined);
}

const none: readonly RunBreaker[] = [];

/** Lets a call through all of them, or through none; undefined: not now. */
export function passAll(found: readonly RunBreaker[]): CallPassage | undefined {
  const passed: { readonly of: RunBreaker; readonly permit: BreakerPermit }[] = [];
  const over = (result: BreakerResult): void => {
    for (const { of, permit } of passed.splice(0)) of.breaker.report(permit, result);
  };
  for (const of of found) {
    const permit = of.breaker.ask();
    if (permit) passed.push({ of, permit });
    else {
      over({ end: 'withdrawn' });
      return undefined;
    }
  }
  return { over };
}

/** The first that lets nothing through now; undefined: all may. */
export function shutOf(found: readonly RunBreaker[]): RunBreaker | undefined {
  return found.find(({ breaker }) => !breaker.allows());
}

/** Why a call cannot be made while this breaker is open; a retry waits until it lets calls try. */
export function callRefusal({ name, breaker }: RunBreaker, now: number): TroupeError {
  const { message } = openError(name, breaker);
  const { until } = breaker;
  return new TroupeError('TRP_BREAKER_OPEN', message, {
    place: name,
    errorClass: 'transient',
    ...(until !== undefined && { retryAfterMs: Math.max(0, until - now) }),
  });
}

/**
 * What the end of a call says of whoever was called. A call that its limits refused, or that itself was wrong, says
 * nothing against them; nor does one whose attempt was told to end, unless it took too long.
 */
export function callResult(
  end: CallEnd,
  aborted: TroupeError | undefined,
  now: number,
): BreakerResult {
  if (end.end === 'ok' || end.rejected) return { end: 'succeeded' };
  if (end.end === 'limited') return { end: 'withdrawn' };
  if (aborted) return { end: aborted.errorClass === 'timeout' ? 'failed' : 'withdrawn' };
  return { end: 'failed', retryAfterMs: retryAfterMs(end, now) };
}
