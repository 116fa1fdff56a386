import { escapeToken } from '../../subject-grammar.ts';
import { subjectOf, workConsumer, workSubject } from '../../subjects.ts';
import { workLevels } from '../../work-queue.ts';
import type { WorkLevel } from '../../work-queue.ts';
import type { ConsumerPlan } from './consumers.ts';
import type { PoolSettings } from './pool-settings.ts';

/** A pool, and the stream that its consumers read. */
export interface PlannedPool {
  readonly ns: string;
  readonly name: string;
  readonly stream: string;
}

/** A permit outlives the item that it was taken for, so that nobody is let in for an item that is still held. */
export const permitMarginMs = 50;

/** The durable consumer of a level; its number changes whenever consumers of another kind are made. */
export function levelConsumer(pool: string, level: WorkLevel): string {
  return `${workConsumer(pool, level)}_v1`;
}

/** The durable consumer of a pool's permits. */
function gateConsumer(pool: string): string {
  return `${escapeToken(pool)}_gate_v1`;
}

/** The consumers of the items of a pool, in order of level. */
export function levelPlans(pool: PlannedPool, settings: PoolSettings): ConsumerPlan[] {
  return workLevels.map((level) => ({
    stream: pool.stream,
    name: levelConsumer(pool.name, level),
    filter: workSubject(pool.ns, pool.name, level),
    ackWaitMs: settings.ackWaitMs,
    settings,
  }));
}

/** The consumer of the permits of a pool. */
export function gatePlan(pool: PlannedPool, settings: PoolSettings): ConsumerPlan {
  const ackWaitMs = settings.ackWaitMs + permitMarginMs;
  const filter = `${subjectOf(pool.ns, 'work', pool.name, 'gate')}.*`;
  return { stream: pool.stream, name: gateConsumer(pool.name), filter, ackWaitMs, settings };
}
