import type { Draft, TaskSource } from './draft.ts';
import type { DocumentPath } from './fault.ts';
import type { AgentSpec, PoolSpec } from './model.ts';
import { durationMs } from './normalise-policies.ts';
import type { CheckedDocument } from './schema/check.ts';

/** How long an attempt waits for a worker host to serve its pool. */
const defaultWaitMs = 300_000;

/** Five signs of life that did not come. */
const defaultLostAfterMs = 10_000;

type PoolSource = NonNullable<CheckedDocument['pools']>[string];

/** The resource kind of a pool's slots. */
function poolKind(pool: string): string {
  return `pool:${pool}`;
}

/** The pool of that name; undefined without a name, and with a fault where the document has none. */
function poolNamed(
  name: string | undefined,
  draft: Draft,
  path: DocumentPath,
): PoolSpec | undefined {
  if (name === undefined) return undefined;
  const pools = draft.document.pools ?? {};
  const source = Object.hasOwn(pools, name) ? pools[name] : undefined;
  if (source) return poolSpec(name, source);
  const { faults } = draft;
  if (faults.isMuted(['pools', name])) return undefined;
  const names = Object.keys(pools);
  const hint =
    names.length > 0
      ? faults.suggestOrList(name, names, 'Pools')
      : `Add pools: { ${name}: { remote: true } }.`;
  faults.add('TRP_WORKFLOW_UNKNOWN_REF', `there is no pool "${name}"`, { path, hint });
  return undefined;
}

/** What each task takes of the slots of its pool; a task on worker hosts cannot have a folder of this one. */
export function limitPools(draft: Draft): void {
  for (const task of draft.tasks.values()) {
    const pool = task.pool ?? draft.agents.get(task.agent)?.pool;
    if (!pool) continue;
    if (slotsOf(draft, pool.name) !== undefined) task.demand[poolKind(pool.name)] = 1;
    if (pool.remote && task.workspace) refuseWorkspace(draft, task.id, pool.name);
  }
}

/** Capacities of the pools that have one. */
export function poolCapacity(draft: Draft): { readonly [kind: string]: number } {
  const names = Object.keys(draft.document.pools ?? {});
  return Object.fromEntries(
    names.flatMap((name) => {
      const slots = slotsOf(draft, name);
      return slots === undefined ? [] : [[poolKind(name), slots] as const];
    }),
  );
}

/** The pool that a task names for itself. Absent where it names none: the hash of older documents stays. */
export function taskPool(
  id: string,
  source: TaskSource,
  draft: Draft,
): { readonly pool?: PoolSpec } {
  const pool = poolNamed(source.pool, draft, ['tasks', id, 'pool']);
  return pool ? { pool } : {};
}

/** The pool that an agent names; absent likewise. */
export function agentPool(
  { pool: name }: { readonly pool?: string | undefined },
  draft: Draft,
  path: DocumentPath,
): Pick<AgentSpec, 'pool'> {
  const pool = poolNamed(name, draft, [...path, 'pool']);
  return pool ? { pool } : {};
}

function poolSpec(name: string, source: PoolSource): PoolSpec {
  return {
    name,
    remote: source.remote ?? false,
    waitMs: durationMs(source.wait) ?? defaultWaitMs,
    lostAfterMs: durationMs(source.lost_after) ?? defaultLostAfterMs,
  };
}

function slotsOf({ document }: Draft, name: string): number | undefined {
  const pools = document.pools ?? {};
  return Object.hasOwn(pools, name) ? pools[name]?.slots : undefined;
}

function refuseWorkspace(draft: Draft, id: string, pool: string): void {
  draft.faults.add(
    'TRP_WORKFLOW_INVALID',
    `task "${id}" has a workspace, and its pool "${pool}" is on other hosts`,
    {
      path: ['tasks', id],
      point: 'key',
      hint: 'Folders stay on the host of the run: drop workspace:, or use a local pool.',
    },
  );
}
