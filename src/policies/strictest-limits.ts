import type { CallLimits, ProviderLimits } from './call-admission.ts';
import type { ConcurrencyBounds } from './concurrency-limit.ts';

/** Of several descriptions of one provider, the least that each limit is anywhere; none: no limits. */
export function strictest(all: readonly ProviderLimits[]): ProviderLimits {
  const [first = {}, ...others] = all;
  return others.reduce(stricter, first);
}

function stricter(a: ProviderLimits, b: ProviderLimits): ProviderLimits {
  const names = new Set([...Object.keys(a.models ?? {}), ...Object.keys(b.models ?? {})]);
  const models = [...names].map(
    (name) => [name, stricterLimits(a.models?.[name] ?? {}, b.models?.[name] ?? {})] as const,
  );
  return { ...stricterLimits(a, b), models: Object.fromEntries(models) };
}

function stricterLimits(a: CallLimits, b: CallLimits): CallLimits {
  return {
    requestsPerMinute: least(a.requestsPerMinute, b.requestsPerMinute),
    tokensPerMinute: least(a.tokensPerMinute, b.tokensPerMinute),
    concurrency: stricterBounds(a.concurrency ?? {}, b.concurrency ?? {}),
  };
}

function stricterBounds(a: ConcurrencyBounds, b: ConcurrencyBounds): ConcurrencyBounds {
  return {
    initial: least(a.initial, b.initial),
    min: least(a.min, b.min),
    max: least(a.max, b.max),
    slowAfterMs: least(a.slowAfterMs, b.slowAfterMs),
  };
}

function least(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);
}
