import { canonicalJson } from '../../core/canonical.ts';
import { TroupeError } from '../../core/errors.ts';
import { keyPattern } from '../../core/key-pattern.ts';
import { mergerNames } from '../../workflow/mergers.ts';
import type { MergerName } from '../../workflow/model.ts';
import type { MemoryRules } from '../propose.ts';

/** How a memory of its own treats its keys. Written into its log by its first owner; all others go by that. */
export interface SharedRules {
  /** Merger by key pattern; the first that fits counts. Elsewhere: `first_writer_wins`. */
  readonly keys: { readonly [pattern: string]: MergerName };
  /** Agent by key pattern: nobody else writes there. Elsewhere everybody does. */
  readonly owners: { readonly [pattern: string]: string };
}

/** All but `manual`: a memory of its own has nobody who is asked. */
const mergers: readonly MergerName[] = mergerNames.filter((name) => name !== 'manual');

/**
 * Checks what an opener gave.
 * @throws TroupeError TRP_OPTION_INVALID
 */
export function sharedRules({
  keys = {},
  owners = {},
}: { [name in keyof SharedRules]?: SharedRules[name] | undefined }): SharedRules {
  for (const [pattern, merger] of Object.entries(keys)) {
    if (mergers.includes(merger)) continue;
    const message = `The merger of keys[${JSON.stringify(pattern)}] is ${JSON.stringify(merger)}; it must be one of ${mergers.join(', ')}.`;
    const hint = `Name one of these for ${pattern}, or leave it out for first_writer_wins.`;
    throw new TroupeError('TRP_OPTION_INVALID', message, { place: pattern, hint });
  }
  return { keys, owners };
}

/** Whether two openers mean the same. The order of patterns counts. */
export function sameRules(left: SharedRules, right: SharedRules): boolean {
  const text = ({ keys, owners }: SharedRules): string =>
    canonicalJson([Object.entries(keys), Object.entries(owners)]);
  return text(left) === text(right);
}

/** The rules as commits are decided by them. */
export function memoryRules({ keys, owners }: SharedRules): MemoryRules {
  const ownerOf = firstFit(owners);
  const mergerOf = firstFit(keys);
  return {
    ownerOf,
    mergerOf: (key) => mergerOf(key) ?? 'first_writer_wins',
    allowed: (agent, _task, key) => (ownerOf(key) ?? agent) === agent,
  };
}

/** Keys are asked for again and again; so answers are kept, for as many keys as there are. */
function firstFit<T extends string>(patterns: {
  readonly [pattern: string]: T;
}): (key: string) => T | undefined {
  const rules = Object.entries(patterns).map(([pattern, gives]) => ({
    matches: keyPattern(pattern),
    gives,
  }));
  const known = new Map<string, T | undefined>();
  return (key) => {
    if (!known.has(key)) known.set(key, rules.find(({ matches }) => matches(key))?.gives);
    return known.get(key);
  };
}
