import type { Draft, TaskDraft, TaskSource } from './draft.ts';
import { lockKind, memoryAccessKind } from './model.ts';
import { durationMs } from './normalise-policies.ts';

/** Units of a lock that is read as well as written: a reader takes one, a writer all. */
const lockUnits = 1_000_000;

/** What the locks of a task demand: `exclusive` and `mode: write` take a lock whole, `mode: read` a part of it. */
export function lockDemand(id: string, source: TaskSource, draft: Draft): TaskDraft['demand'] {
  if (!source.exclusive && !source.locks) return {};
  const shared = sharedLocks(draft);
  const demand: TaskDraft['demand'] = {};
  for (const name of source.exclusive ?? [])
    demand[lockKind(name)] = shared.has(name) ? lockUnits : 1;
  for (const [index, { name, mode = 'write' }] of (source.locks ?? []).entries()) {
    if (demand[lockKind(name)] !== undefined)
      draft.faults.add('TRP_WORKFLOW_INVALID', `the lock "${name}" stands twice`, [
        'tasks',
        id,
        'locks',
        index,
      ]);
    demand[lockKind(name)] = mode === 'read' ? 1 : lockUnits;
  }
  return demand;
}

/** The shortest time that a lock of the task sets for waiting. */
export function lockTimeout({ locks = [] }: TaskSource): Pick<TaskDraft, 'lockTimeoutMs'> {
  return shortest(locks.map(({ timeout }) => durationMs(timeout)));
}

/** Capacities of the locks that are read, and of the access to memory. */
export function lockCapacity(draft: Draft): { readonly [kind: string]: number } {
  const locks = [...sharedLocks(draft)].map((name) => [lockKind(name), lockUnits] as const);
  const access = accessOf(draft);
  return {
    ...Object.fromEntries(locks),
    ...(access && { [memoryAccessKind]: access.capacity }),
  };
}

/**
 * Limits how many tasks read and write memory at one time: both draw on one kind with as many units as
 * divide evenly, so that there are at most so many readers, or so many writers, or some of each in proportion.
 */
export function limitMemoryAccess(draft: Draft): void {
  const access = accessOf(draft);
  if (!access) return;
  const { memory, resources } = draft.document;
  if (isLimited(memory) && resources?.context_store)
    draft.faults.add('TRP_WORKFLOW_DUPLICATE_KEY', 'context_store: memory says it already', [
      'resources',
      'context_store',
    ]);
  for (const task of draft.tasks.values()) {
    const owns = draft.agents.get(task.agent)?.owns ?? [];
    const writes = task.writes.length > 0 || owns.length > 0;
    const units = Math.max(task.reads.length > 0 ? access.reader : 0, writes ? access.writer : 0);
    if (units === 0) continue;
    task.demand[memoryAccessKind] = units;
    Object.assign(task, shortest([task.lockTimeoutMs, access.timeoutMs]));
  }
}

interface Access {
  readonly capacity: number;
  /** Units of one reader, and of one writer; 0: not limited. */
  readonly reader: number;
  readonly writer: number;
  readonly timeoutMs: number | undefined;
}

function accessOf({ document }: Draft): Access | undefined {
  const source = isLimited(document.memory) ? document.memory : document.resources?.context_store;
  if (!source) return undefined;
  const { readers, writers, lock_timeout: timeout } = source;
  if (readers === undefined && writers === undefined) return undefined;
  const capacity = leastMultiple(readers ?? 1, writers ?? 1);
  return {
    capacity,
    reader: readers === undefined ? 0 : capacity / readers,
    writer: writers === undefined ? 0 : capacity / writers,
    timeoutMs: durationMs(timeout),
  };
}

function isLimited(memory: Draft['document']['memory']): boolean {
  return memory?.readers !== undefined || memory?.writers !== undefined;
}

function leastMultiple(a: number, b: number): number {
  const divisor = (x: number, y: number): number => (y === 0 ? x : divisor(y, x % y));
  return (a / divisor(a, b)) * b;
}

const sharedLocksOf = new WeakMap<object, ReadonlySet<string>>();

/** Names under `locks` of any task: those that may be read. */
function sharedLocks({ document }: Draft): ReadonlySet<string> {
  const known = sharedLocksOf.get(document);
  if (known) return known;
  const locks = Object.values(document.tasks).flatMap(({ locks: some = [] }) => some);
  const names = new Set(locks.map(({ name }) => name));
  sharedLocksOf.set(document, names);
  return names;
}

function shortest(times: readonly (number | undefined)[]): Pick<TaskDraft, 'lockTimeoutMs'> {
  const given = times.filter((time) => time !== undefined);
  return given.length === 0 ? {} : { lockTimeoutMs: Math.min(...given) };
}
