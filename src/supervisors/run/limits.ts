import { chooseDegree } from '../../policies/parallelism.ts';
import { agentKind, concurrencyKind, groupKind } from '../../workflow/model.ts';
import type { Workflow } from '../../workflow/model.ts';
import type { Claim } from '../../policies/fair-share.ts';
import type { RunCore } from './core.ts';
import { workloadOf } from './workload.ts';

/** What a run limits itself: as its document says, or as it has chosen and adapted since. */

/** Attempts of the run at one time; undefined: it does not limit them. */
export function concurrencyOf({ ledger, book }: RunCore): number | undefined {
  return ledger.state.adaptation.concurrency ?? book.workflow.resources.concurrency;
}

/** Within what the run's concurrency may be chosen and adapted. */
export function concurrencyBounds({ book, services }: RunCore): { min: number; max: number } {
  const { min = 1, max = Infinity } = book.workflow.adaptation?.concurrency ?? {};
  const most = Math.min(max, services.concurrency ?? Infinity);
  return { min: Math.min(min, most), max: most };
}

/** Units per kind that the run may hold. */
export function scopeLimits(core: RunCore): Record<string, number> {
  const { resources, agents } = core.book.workflow;
  const capacity: Record<string, number> = { ...resources.capacity };
  const concurrency = concurrencyOf(core);
  if (concurrency !== undefined) capacity[concurrencyKind] = concurrency;
  for (const { id, limits } of Object.values(agents)) {
    if (limits.concurrency !== undefined) capacity[agentKind(id)] = limits.concurrency;
  }
  if (!narrowsGroups(core.book.workflow)) return capacity;
  const { groups } = core.ledger.state.adaptation;
  for (const id of groupIds(core.book.workflow))
    capacity[groupKind(id)] = groups.get(id) ?? Infinity;
  return capacity;
}

/** The run's part of what all runs share. */
export function claimOf({ schedule }: Workflow): Claim | undefined {
  return schedule && { weight: schedule.share, class: schedule.class };
}

/** Whether groups may be made to run fewer members at one time. */
export function narrowsGroups({ adaptation }: Workflow): boolean {
  return adaptation?.actions.includes('group_sizes') === true;
}

function groupIds({ groups, tasks }: Workflow): string[] {
  const split = tasks.filter(({ expand }) => expand).map(({ id }) => id);
  return [...groups.map(({ id }) => id), ...split];
}

/** Chooses the run's concurrency when it begins, where nobody has said it. A resumed run keeps what it had. */
export function chooseConcurrency(core: RunCore): void {
  const { ledger, book, services, graph } = core;
  if (ledger.state.adaptation.concurrency !== undefined || !isChosen(core)) return;
  const capacity = { ...services.capacity(), slowness: 1 };
  const inputBytes = JSON.stringify(core.start.input).length;
  const history = services.history?.(book.workflow.name);
  const workload = workloadOf(graph, { history, inputBytes });
  const { degree, reasons } = chooseDegree(
    { ...workload, deadlineMs: timeLeft(core), cost: costOf(core) },
    capacity,
    concurrencyBounds(core),
  );
  ledger.commit([
    {
      type: 'policy.adapted',
      policy: 'concurrency',
      of: '',
      from: null,
      to: degree,
      reason: reasons.join('; '),
      measured: {
        event_loop_delay_ms: capacity.eventLoopDelayMs,
        memory: capacity.memory,
        queue_depth: capacity.queueDepth,
      },
    },
  ]);
}

function isChosen({ book, services }: RunCore): boolean {
  const { resources, adaptation } = book.workflow;
  if (resources.autoConcurrency) return true;
  if (resources.concurrency !== undefined) return false;
  return services.autoConcurrency === true || adaptation?.actions.includes('allocation') === true;
}

function timeLeft({ book, ledger, services }: RunCore): number | undefined {
  const { deadlineMs } = book.workflow;
  if (deadlineMs === undefined) return undefined;
  return ledger.state.activeSince + deadlineMs - services.clock.now();
}

/** What is left of the budget, and what a task has cost so far; nothing is known before one has. */
function costOf({ book, ledger }: RunCore): { cap: number; perTask: number } | undefined {
  const { cost: cap } = book.workflow.budget ?? {};
  const { total } = ledger.state.spend;
  if (cap === undefined || total.cost <= 0) return undefined;
  let ended = 0;
  for (const { phase } of ledger.state.tasks.values()) if (phase === 'ended') ended++;
  return { cap: Math.max(0, cap - total.cost), perTask: total.cost / Math.max(1, ended) };
}
