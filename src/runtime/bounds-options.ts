import { TroupeError } from '../core/errors.ts';
import { defaultBounds } from '../supervisors/run/run-bounds.ts';
import type { RunBounds } from '../supervisors/run/run-bounds.ts';

/**
 * Bounds of runs as given, each checked.
 * @throws TroupeError TRP_OPTION_INVALID for an unknown bound, or one that is not a whole number from 1
 */
export function boundsOf(given: RunBounds | undefined): RunBounds | undefined {
  for (const [name, value] of Object.entries(given ?? {})) {
    const isKnown = Object.hasOwn(defaultBounds, name);
    const isBound = value === undefined || (Number.isSafeInteger(value) && value >= 1);
    if (isKnown && isBound) continue;
    const wanted = isKnown
      ? 'a whole number from 1'
      : `one of ${Object.keys(defaultBounds).join(', ')}`;
    throw new TroupeError(
      'TRP_OPTION_INVALID',
      `bounds.${name} is ${value}: it must be ${wanted}.`,
      {
        place: `bounds.${name}`,
      },
    );
  }
  return given;
}
