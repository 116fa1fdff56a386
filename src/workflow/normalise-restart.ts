import type { GroupSource } from './draft.ts';
import type { GroupRestartSpec } from './model.ts';
import { durationMs } from './normalise-policies.ts';

/** Three restarts in half a minute, as the process's own supervisors have it. */
const defaults: GroupRestartSpec = {
  strategy: 'one_for_one',
  type: 'transient',
  maxRestarts: 3,
  withinMs: 30_000,
};

/**
 * How a group is restarted, from its `restart:` block or word, or from `strategy:`, `max_restarts:` and
 * `window:` beside it; undefined: it says nothing of it.
 */
export function groupRestart(source: GroupSource): GroupRestartSpec | undefined {
  const { restart, strategy, max_restarts: maxRestarts, window, on_failure: word } = source;
  const said = [restart, strategy, maxRestarts, window].some((part) => part !== undefined);
  if (!said && word !== 'restart') return undefined;
  const block = blockOf(restart);
  return {
    strategy: block.strategy ?? strategy ?? defaults.strategy,
    type: block.type ?? defaults.type,
    maxRestarts: block.max_restarts ?? maxRestarts ?? defaults.maxRestarts,
    withinMs: durationMs(block.within ?? window) ?? defaults.withinMs,
  };
}

type RestartBlock = Exclude<NonNullable<GroupSource['restart']>, string>;

function blockOf(restart: GroupSource['restart']): RestartBlock {
  return typeof restart === 'string' ? { strategy: restart } : (restart ?? {});
}
