import { TroupeError, errorInfo } from '../../core/errors.ts';
import type { Plain } from '../../core/plain.ts';
import { shardItems } from '../../results/sharding.ts';
import type { ExpandSpec, TaskSpec } from '../../workflow/model.ts';
import { resolveTemplate } from '../../workflow/template.ts';
import { enqueue } from './agenda.ts';
import { checkMembers } from './bounds.ts';
import type { RunCore } from './core.ts';
import { endTask, succeedTask } from './task-end.ts';
import { openGroup } from './groups.ts';
import { scopeOf } from './scope.ts';

/** One task that becomes many: by shards of its data, by aspects of its question, or by items of a list. */

/** Splits a task into members and starts them. The split is journaled: a resumed run has the same members. */
export function expand(core: RunCore, task: TaskSpec): void {
  try {
    const items = core.ledger.state.tasks.get(task.id)?.items ?? itemsOf(core, task);
    checkMembers(core, task.id, items.length);
    core.ledger.commit([{ type: 'task.expanded', task: task.id, items }], () => {
      const isOpen = core.ledger.state.tasks.get(task.id)?.phase === 'running';
      if (isOpen) startMembers(core, task, items);
    });
  } catch (error) {
    endTask(core, task.id, {
      outcome: 'failed',
      reason: 'input_unresolvable',
      error: errorInfo(error),
    });
  }
}

/** The members of an expanded task have been joined: the task ends as they did. */
export function expansionJoined(core: RunCore, id: string): void {
  const group = core.ledger.state.groups.get(id);
  if (!group || core.ledger.state.tasks.get(id)?.phase !== 'running') return;
  if (group.outcome === 'succeeded' || group.outcome === 'partial') {
    succeedTask(core, id, { output: group.output });
  } else {
    endTask(core, id, { outcome: 'failed', reason: group.reason ?? 'members_failed' });
  }
}

/** Starts (or, on resume, starts again) what has not ended of an expanded task. */
export function startMembers(core: RunCore, task: TaskSpec, items: readonly Plain[]): void {
  const { members } = core.book.expand(task, items);
  openGroup(core, task.id);
  enqueue(core.agenda.ready, members);
}

function itemsOf(core: RunCore, task: TaskSpec): Plain[] {
  const spec = task.expand;
  if (!spec) return [];
  if (spec.kind === 'aspects') return spec.aspects.map(({ id }) => id);
  const lenient = core.ledger.state.simulated;
  const scope = scopeOf(core, task, core.ledger.memory.view());
  const value = resolveTemplate(spec.of, scope, { lenient });
  if (!Array.isArray(value)) {
    if (lenient) return simulatedItems(spec);
    throw new TroupeError(
      'TRP_INPUT_UNRESOLVED',
      `"${task.id}" splits a list, but got ${typeof value}.`,
      {
        place: task.id,
      },
    );
  }
  return spec.kind === 'for_each' ? [...value] : shardsOf(spec, value);
}

function shardsOf(
  { count, size }: Extract<ExpandSpec, { kind: 'shards' }>,
  items: readonly Plain[],
): Plain[] {
  return shardItems(items, {
    ...(count === undefined ? {} : { count }),
    ...(size === undefined ? {} : { size }),
  });
}

/** A simulated run has no data to split: as many members as the document names, at least one. */
function simulatedItems(spec: ExpandSpec): Plain[] {
  const count = spec.kind === 'shards' ? (spec.count ?? 1) : 1;
  return Array.from({ length: count }, () => []);
}
