import type { GroupSpec, TaskSpec } from './model.ts';

/** Who cannot begin (a task) or end (a group) before whom, by id. */
export type Waiting = ReadonlyMap<string, readonly string[]>;

/** Tasks and groups that {@link waitingOf} looks at. */
export interface WaitingSource {
  readonly tasks: Iterable<Pick<TaskSpec, 'id' | 'needs' | 'validates'>>;
  readonly groups: Iterable<Pick<GroupSpec, 'id' | 'members' | 'validators'>>;
}

/**
 * The waiting that blocks: data and stream needs, a group on its members and their checks, and whoever needs a
 * checked task also on its checks. A context need never blocks, and a check waits for what it checks. All checks
 * of a task end together, when it is accepted or refused: whoever needs one of them waits for all.
 */
export function waitingOf(source: WaitingSource): Waiting {
  const tasks = [...source.tasks];
  const checks = new Map<string, string[]>();
  for (const { id, validates } of tasks) {
    if (validates !== undefined) pushTo(checks, validates, id);
  }
  const checkedBy = new Map(tasks.map(({ id, validates }) => [id, validates]));
  const withChecks = (waiting: string, on: readonly string[]): readonly string[] =>
    on.flatMap((id) => {
      const own = checks.get(id) ?? [];
      const together = checks.get(checkedBy.get(id) ?? '') ?? [];
      const others = together.filter((check) => check !== id);
      return own.includes(waiting) ? [id, ...others] : [id, ...own, ...others];
    });
  const result = new Map<string, readonly string[]>();
  for (const { id, needs } of tasks) {
    const on = needs
      .filter(({ kind }) => kind === 'data' || kind === 'stream')
      .map((need) => need.on);
    result.set(id, withChecks(id, on));
  }
  for (const { id, members, validators } of source.groups)
    result.set(id, [...withChecks(id, members), ...validators]);
  return result;
}

/** Circles of waiting, at least one in each knot, each as a path whose end is its start: `[a, b, a]`. */
export function findCycles(waiting: Waiting): readonly (readonly string[])[] {
  return new CycleSearch(waiting).run();
}

interface Frame {
  readonly id: string;
  next: number;
}

/** Depth-first search without recursion, so that a chain of any length fits. */
class CycleSearch {
  private readonly waiting: Waiting;
  private readonly done = new Set<string>();
  private readonly onPath = new Set<string>();
  private readonly path: Frame[] = [];
  private readonly cycles: (readonly string[])[] = [];

  constructor(waiting: Waiting) {
    this.waiting = waiting;
  }

  run(): readonly (readonly string[])[] {
    for (const id of this.waiting.keys()) {
      if (!this.done.has(id)) this.searchFrom(id);
    }
    return this.cycles;
  }

  private searchFrom(start: string): void {
    this.enter(start);
    for (let frame = this.path.at(-1); frame; frame = this.path.at(-1)) {
      const next = this.waiting.get(frame.id)?.[frame.next++];
      if (next === undefined) this.leave(frame.id);
      else if (this.onPath.has(next)) this.addCycle(next);
      else if (!this.done.has(next) && this.waiting.has(next)) this.enter(next);
    }
  }

  private enter(id: string): void {
    this.onPath.add(id);
    this.path.push({ id, next: 0 });
  }

  private leave(id: string): void {
    this.path.pop();
    this.onPath.delete(id);
    this.done.add(id);
  }

  /** One cycle for each task that closes it; a knot of many would drown the first. */
  private addCycle(start: string): void {
    if (this.cycles.some((cycle) => cycle.includes(start))) return;
    const from = this.path.findIndex(({ id }) => id === start);
    this.cycles.push([...this.path.slice(from).map(({ id }) => id), start]);
  }
}

/** Ids such that everybody stands after those waited for. Only for waiting without cycles. */
export function waitingOrder(waiting: Waiting): readonly string[] {
  const left = new Map<string, number>();
  const waiters = new Map<string, string[]>();
  for (const [id, on] of waiting) {
    left.set(id, on.length);
    for (const other of on) pushTo(waiters, other, id);
  }
  const order = [...waiting.keys()].filter((id) => left.get(id) === 0);
  for (const id of order) {
    for (const waiter of waiters.get(id) ?? []) {
      const remaining = (left.get(waiter) ?? 0) - 1;
      left.set(waiter, remaining);
      if (remaining === 0) order.push(waiter);
    }
  }
  return order;
}

function pushTo(lists: Map<string, string[]>, key: string, item: string): void {
  const list = lists.get(key);
  if (list) list.push(item);
  else lists.set(key, [item]);
}
