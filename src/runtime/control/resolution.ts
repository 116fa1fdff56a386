import type { Plain, PlainObject } from '../../core/plain.ts';
import type { Resolution } from '../../supervisors/run/resolution.ts';
import { malformed } from './request.ts';

/**
 * What a person decided about an open conflict, out of a request: `{conflict, choice, value, by}`.
 * @param by who decided, where the request does not say.
 * @throws TroupeError TRP_CONTROL_REQUEST that names the member at fault.
 */
export function resolutionOf(payload: Plain, by: string): Resolution {
  const { conflict, choice, value, by: named } = (payload ?? {}) as Partial<PlainObject>;
  if (typeof conflict !== 'number') throw malformed('`conflict` must be the number of a conflict');
  const who = typeof named === 'string' ? named : by;
  if (choice === 'theirs' || choice === 'mine') return { conflict, choice, by: who };
  if (choice !== 'value') throw malformed('`choice` must be theirs, mine or value');
  if (value === undefined) throw malformed('the choice `value` needs a `value`');
  return { conflict, choice, value, by: who };
}
