import { placeOf } from './draft.ts';
import type { Draft, TaskDraft } from './draft.ts';
import { isWildcard, patternsOverlap } from './key-patterns.ts';
import type { MemoryKeySpec, MergerName } from './model.ts';
import type { Reach, WaitingOrder } from './reach.ts';
import { unsureOf } from './unsure.ts';
import { waitingOrder } from './waiting.ts';

/** Patterns with wildcards beyond this number are not compared with each other: the pairs grow with the square. */
const maxWildcards = 500;

/**
 * Finds tasks that may run together and write one key: a fault where the key's policy is reject, else a
 * warning; and writes to keys that another agent owns.
 */
export function checkWriters(
  draft: Draft,
  order: WaitingOrder,
  keys: readonly MemoryKeySpec[],
): void {
  const check = new WriterCheck(draft, order, keys);
  check.owners();
  check.writers();
}

class WriterCheck {
  private readonly draft: Draft;
  private readonly reach: Reach;
  private readonly keys: readonly MemoryKeySpec[];
  private readonly rank: ReadonlyMap<string, number>;
  private readonly unsure: ReadonlySet<string>;

  constructor(draft: Draft, { waiting, reach }: WaitingOrder, keys: readonly MemoryKeySpec[]) {
    this.draft = draft;
    this.reach = reach;
    this.unsure = unsureOf(draft, waiting);
    this.keys = keys;
    this.rank = new Map(waitingOrder(waiting).map((id, index) => [id, index]));
  }

  writers(): void {
    const byPattern = this.writersByPattern();
    for (const [pattern, tasks] of byPattern) this.checkTogether(pattern, tasks);
    const wild = [...byPattern.keys()].filter(isWildcard).slice(0, maxWildcards);
    for (const pattern of wild) {
      const overlapping = [...byPattern].filter(
        ([other]) => other !== pattern && patternsOverlap(pattern, other),
      );
      for (const [other, tasks] of overlapping) {
        if (isWildcard(other) && other < pattern) continue;
        this.checkTogether(other, [...new Set([...tasks, ...(byPattern.get(pattern) ?? [])])]);
      }
    }
  }

  owners(): void {
    const owned = [...this.draft.agents.values()].flatMap(({ id, owns }) =>
      owns.map((pattern) => ({ id, pattern })),
    );
    if (owned.length === 0) return;
    for (const task of this.draft.tasks.values()) {
      for (const [index, key] of task.writes.entries()) {
        const owner = owned.find(
          ({ id, pattern }) => id !== task.agent && patternsOverlap(pattern, key),
        );
        if (owner) this.addForeign(task, { index, key, owner: owner.id });
      }
    }
  }

  private writersByPattern(): ReadonlyMap<string, TaskDraft[]> {
    const found = new Map<string, TaskDraft[]>();
    for (const task of this.draft.tasks.values()) {
      for (const pattern of new Set(task.writes)) {
        const list = found.get(pattern);
        if (list) list.push(task);
        else found.set(pattern, [task]);
      }
    }
    return found;
  }

  /** Tasks in a row of waiting all wait for each other if each waits for the one before: neighbours are enough. */
  private checkTogether(key: string, tasks: readonly TaskDraft[]): void {
    const expanding = tasks.find(({ expand }) => expand !== undefined);
    if (expanding) this.addTogether(key, expanding, expanding);
    const inOrder = [...tasks].sort(
      (a, b) => (this.rank.get(a.id) ?? 0) - (this.rank.get(b.id) ?? 0),
    );
    for (const [index, later] of inOrder.entries()) {
      const earlier = inOrder[index - 1];
      if (!earlier || this.unsure.has(later.id) || this.unsure.has(earlier.id)) continue;
      if (!this.reach.waits(later.id, earlier.id)) return this.addTogether(key, earlier, later);
    }
  }

  private addTogether(key: string, first: TaskDraft, second: TaskDraft): void {
    const { faults } = this.draft;
    const policy = this.policyOf(key);
    const who = first === second ? `members of "${first.id}"` : `"${first.id}" and "${second.id}"`;
    const path = this.writesPath(second, key);
    const message = `${who} may write "${key}" at the same time`;
    if (policy === 'reject')
      faults.add('TRP_WORKFLOW_CONFLICT', `${message}, and its policy is reject`, path);
    else
      faults.warn('TRP_WORKFLOW_CONFLICT', message, {
        path,
        hint: `Concurrent writes are combined by ${this.hasSeveralRules(key) ? 'the rules of those keys' : policy}.`,
      });
  }

  private policyOf(key: string): MergerName {
    return (
      this.keys.find(({ pattern }) => patternsOverlap(pattern, key))?.merge ?? 'first_writer_wins'
    );
  }

  /** Keys below a wildcard may have rules of their own, down to the first rule that is for all of them. */
  private hasSeveralRules(key: string): boolean {
    if (!isWildcard(key)) return false;
    const whole = this.keys.findIndex(({ pattern }) => coversAll(pattern, key));
    const rules = this.keys
      .slice(0, whole < 0 ? undefined : whole + 1)
      .filter(({ pattern }) => patternsOverlap(pattern, key));
    return new Set(rules.map(({ merge }) => merge)).size > 1;
  }

  private writesPath(task: TaskDraft, key: string): readonly (string | number)[] {
    const index = task.writes.findIndex(
      (pattern) => pattern === key || patternsOverlap(pattern, key),
    );
    return [...placeOf(this.draft, task.id), 'writes', Math.max(0, index)];
  }

  private addForeign(
    task: TaskDraft,
    { index, key, owner }: { index: number; key: string; owner: string },
  ): void {
    const message = `"${task.id}" of agent "${task.agent}" writes "${key}", which agent "${owner}" owns`;
    const hint = 'Let the owner write it, or take it out of owns.';
    this.draft.faults.add('TRP_WORKFLOW_CONFLICT', message, {
      path: [...placeOf(this.draft, task.id), 'writes', index],
      hint,
    });
  }
}

/** Whether every key of `keys` surely matches a pattern. */
function coversAll(pattern: string, keys: string): boolean {
  return pattern === keys || (pattern.endsWith('>') && keys.startsWith(pattern.slice(0, -1)));
}
