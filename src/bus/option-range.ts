import { TroupeError } from '../core/errors.ts';

/** Most versions that a bucket keeps per key. */
export const mostHistory = 64;

/** Throws TRP_OPTION_INVALID unless every option that is given is a whole number from 1 to its limit. */
export function checkWholeNumbers(
  options: { readonly [name: string]: number | undefined },
  most = Number.MAX_SAFE_INTEGER,
): void {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || (Number.isInteger(value) && value >= 1 && value <= most)) continue;
    const message = `${name} is ${value}; it must be a whole number from 1 to ${most}.`;
    throw new TroupeError('TRP_OPTION_INVALID', message, { place: name });
  }
}
