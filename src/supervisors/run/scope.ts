import type { MemoryReader } from '../../actors/behaviours/behaviour.ts';
import type { Plain } from '../../core/plain.ts';
import { resolveTemplate, valueAt } from '../../workflow/template.ts';
import type { TemplateScope } from '../../workflow/template.ts';
import type { TaskSpec } from '../../workflow/model.ts';
import type { RunCore } from './core.ts';
import { groupOutput, usableOutput } from './output.ts';

/** What `${...}` expressions of a task mean at this moment. `memory` is read through the given view. */
export function scopeOf(
  core: RunCore,
  task: TaskSpec | undefined,
  memory: MemoryReader,
): TemplateScope {
  return {
    lookup: (root, path) => {
      switch (root) {
        case 'input':
          return valueAt(core.start.input, path);
        case 'tasks':
        case 'groups':
          return neededValue(core, { task, root, path });
        case 'memory':
          return memory.get(path.join('.'));
        default:
          return task ? valueAt(memberValue(core, task.id, root), path) : undefined;
      }
    },
  };
}

/**
 * The input of a task: its `with`, resolved; a member without one gets what it was made for; any other task
 * its needs' outputs by id, or the run's input when it needs nothing.
 * @throws TroupeError TRP_INPUT_UNRESOLVED
 */
export function inputOf(core: RunCore, task: TaskSpec, memory: MemoryReader): Plain {
  const aggregated = core.book.aggregates(task.id);
  if (aggregated !== undefined) return aggregationInput(core, aggregated);
  const lenient = core.ledger.state.simulated;
  if (task.with !== undefined) {
    return resolveTemplate(task.with, scopeOf(core, task, memory), { lenient });
  }
  const member = core.book.member(task.id);
  if (member) return member.item;
  const needs = task.needs.filter((need) => need.kind !== 'validation');
  if (needs.length === 0) return core.start.input;
  return Object.fromEntries(
    needs.map(({ on, target }) => [
      on,
      target === 'group' ? groupOutput(core, on) : (usableOutput(core, on) ?? null),
    ]),
  );
}

function aggregationInput(core: RunCore, group: string): Plain {
  const { members } = core.book.group(group);
  return { group, members: [...members], outputs: groupOutput(core, group) };
}

/** What a context need may bring is null while it is not there: nobody waits for it, and nobody fails for it. */
function neededValue(
  core: RunCore,
  {
    task,
    root,
    path,
  }: { task: TaskSpec | undefined; root: 'tasks' | 'groups'; path: readonly string[] },
): Plain | undefined {
  const [id = '', ...rest] = path;
  const value = valueAt(root === 'tasks' ? taskValue(core, id) : groupValue(core, id), rest);
  if (value !== undefined) return value;
  return task?.needs.some(({ on, kind }) => on === id && kind === 'context') ? null : undefined;
}

function taskValue(core: RunCore, id: string): Plain | undefined {
  const row = core.ledger.state.tasks.get(id);
  if (!row) return undefined;
  const output = usableOutput(core, id) ?? null;
  return { output, outcome: row.outcome ?? null, attempts: row.attempt };
}

function groupValue(core: RunCore, id: string): Plain | undefined {
  const row = core.ledger.state.groups.get(id);
  if (!row) return undefined;
  const census = row.census ? { ...row.census } : null;
  return { output: groupOutput(core, id), census, outcome: row.outcome ?? null };
}

function memberValue({ book }: RunCore, id: string, root: string): Plain | undefined {
  const member = book.member(id);
  if (!member) return undefined;
  const { item, index, count, parent } = member;
  if (root === 'index') return index;
  const kind = parent.expand?.kind;
  if (root === 'item' && kind === 'for_each') return item;
  if (root === 'aspect' && kind === 'aspects') return item;
  if (root === 'shard' && kind === 'shards') return { items: item, index, count };
  return undefined;
}
