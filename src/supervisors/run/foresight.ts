import type { MergerName, TaskSpec } from '../../workflow/model.ts';
import type { LiveGroup, RunCore } from './core.ts';
import type { KeyWriters } from './key-writers.ts';

/**
 * Conflicts seen while members still work. All members of a group read one view, so two of them that write one
 * key are concurrent whatever their order: that is certain as soon as the second begins.
 */

/** Mergers that keep everything that anybody writes. */
const lossless: ReadonlySet<MergerName> = new Set(['append', 'union', 'max', 'min', 'sum']);

/** A member was dispatched: tells of keys that it declares and another member writes or has written. */
export function foreseeWrites(core: RunCore, live: LiveGroup, task: TaskSpec): void {
  if (task.writes.length === 0 || live.writers === null) return;
  const writers = writersOf(core, live);
  for (const key of task.writes)
    if (writers?.declared.has(key)) meet(core, live, { key, task: task.id });
}

/** A member has written keys: tells of those that a member declares that has not ended. */
export function foreseeWritten(core: RunCore, task: TaskSpec, keys: readonly string[]): void {
  const live = task.group === undefined ? undefined : core.groups.get(task.group);
  if (!live || live.writers === null || core.book.isExpanded(live.id)) return;
  const writers = writersOf(core, live);
  for (const key of keys) {
    const others = writers?.declared.get(key) ?? [];
    const other = others.find(
      (id) => id !== task.id && core.ledger.state.tasks.get(id)?.phase !== 'ended',
    );
    if (other === undefined) continue;
    if (!writers?.first.has(key)) writers?.first.set(key, task.id);
    meet(core, live, { key, task: other });
  }
}

function meet(
  core: RunCore,
  live: LiveGroup,
  { key, task }: { readonly key: string; readonly task: string },
): void {
  const { first } = live.writers ?? {};
  const other = first?.get(key);
  if (other === undefined) return void first?.set(key, task);
  if (other === task || core.ledger.state.groups.get(live.id)?.foreseen?.includes(key)) return;
  const rule = core.rules.mergerOf(key);
  core.ledger.commit([
    { type: 'conflict.foreseen', group: live.id, key, rule, tasks: [other, task] },
  ]);
}

/** Made once, when a member that declares writes is first dispatched. */
function writersOf(core: RunCore, live: LiveGroup): KeyWriters | null {
  if (live.writers !== undefined) return live.writers;
  const declared = new Map<string, string[]>();
  const first = new Map<string, string>();
  for (const id of core.book.group(live.id).members) {
    for (const key of core.book.task(id).writes) {
      if (/[*>]/.test(key) || lossless.has(core.rules.mergerOf(key))) continue;
      const known = declared.get(key);
      if (known) known.push(id);
      else declared.set(key, [id]);
      if (core.ledger.state.tasks.get(id)?.outcome === 'succeeded' && !first.has(key))
        first.set(key, id);
    }
  }
  live.writers = declared.size > 0 ? { first, declared } : null;
  return live.writers;
}
