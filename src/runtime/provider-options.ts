import { parseDuration } from '../core/duration.ts';
import { TroupeError } from '../core/errors.ts';
import type { ProviderSpec } from '../workflow/model.ts';
import { providerSpec } from '../workflow/normalise-providers.ts';
import type { ProviderLimitSource, ProviderSource } from '../workflow/normalise-providers.ts';

const limitKeys = ['requests_per_minute', 'tokens_per_minute', 'concurrency'];
const providerKeys = [...limitKeys, 'key', 'models'];
const concurrencyKeys = ['initial', 'min', 'max'] as const;

/**
 * The providers that a caller describes, spelt as in a document.
 * @throws TroupeError TRP_OPTION_INVALID naming the place and what was expected
 */
export function providersOf(providers: { readonly [name: string]: ProviderSource } = {}): {
  readonly [name: string]: ProviderSpec;
} {
  const specs = Object.entries(providers).map(([name, source]) => {
    const place = `providers.${name}`;
    checkKeys(source, providerKeys, place);
    checkLimits(source, place);
    for (const [model, limits] of Object.entries(source.models ?? {})) {
      checkKeys(limits, limitKeys, `${place}.models.${model}`);
      checkLimits(limits, `${place}.models.${model}`);
    }
    return [name, providerSpec(source)] as const;
  });
  return Object.fromEntries(specs);
}

function checkKeys(source: object, known: readonly string[], place: string): void {
  for (const key of Object.keys(source)) {
    if (!known.includes(key)) throw invalid(`${place}.${key}`, `one of ${known.join(', ')}`);
  }
}

function checkLimits(source: ProviderLimitSource, place: string): void {
  checkCount(source.requests_per_minute, `${place}.requests_per_minute`);
  checkCount(source.tokens_per_minute, `${place}.tokens_per_minute`);
  const { concurrency } = source;
  if (typeof concurrency !== 'object') return checkCount(concurrency, `${place}.concurrency`);
  checkKeys(concurrency, [...concurrencyKeys, 'slow_after'], `${place}.concurrency`);
  for (const key of concurrencyKeys) checkCount(concurrency[key], `${place}.concurrency.${key}`);
  const { slow_after: slow } = concurrency;
  if (slow !== undefined && !((parseDuration(slow) ?? 0) > 0))
    throw invalid(`${place}.concurrency.slow_after`, 'a duration above zero');
}

function checkCount(value: number | undefined, place: string): void {
  if (value === undefined || (Number.isInteger(value) && value >= 1)) return;
  throw invalid(place, 'a whole number from 1');
}

function invalid(place: string, expected: string): TroupeError {
  return new TroupeError('TRP_OPTION_INVALID', `The option ${place} must be ${expected}.`, {
    place,
  });
}
