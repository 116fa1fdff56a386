import type { GovernorSnapshot } from '../actors/governor.ts';
import type { PoolSnapshot } from '../actors/pool.ts';
import type { AgentSpec } from '../workflow/model.ts';
import type { ProviderGate } from '../actors/provider-gate.ts';
import type { System } from '../runtime/system.ts';
import type { RunCore } from '../supervisors/run/core.ts';
import type { GatedBus } from './gated-bus.ts';
import type { ProcessClock } from './process-clock.ts';

/** What is counted of a process. */
export interface Counted {
  readonly system: System;
  /** Cores of all runs that it has had. */
  readonly cores: readonly RunCore[];
  readonly clock: ProcessClock;
  readonly bus: GatedBus;
  readonly gates: readonly ProviderGate[];
}

/** What lives in a process, counted. All of it is 0 when the process has stopped. */
export interface Census {
  /** Run actors, and the actors of runs that have not ended. */
  readonly actors: number;
  /** Armed timers of the process's clock. */
  readonly timers: number;
  readonly deadlines: number;
  readonly subscriptions: number;
  readonly attempts: number;
  readonly permits: number;
  readonly waiting: number;
  readonly scopes: number;
  /** Calls to providers that wait or are under way. */
  readonly calls: number;
}

/** Counts what lives in a process. */
export function censusOf({ system, cores, clock, bus, gates }: Counted): Census {
  const { services, runs } = system;
  const { queue, holders } = snapshotOf<GovernorSnapshot>(services.governor);
  return {
    actors: runs.getSnapshot().children.size + liveActors(cores),
    timers: clock.pendingTimers,
    deadlines: services.deadlines.pending,
    subscriptions: bus.subscriptions,
    attempts: attemptsOf(services, 'function') + attemptsOf(services, 'simulate'),
    permits: Object.keys(queue.inUse()).length,
    waiting: queue.waiting(),
    scopes: holders.size,
    calls: gates.reduce((sum, gate) => sum + gate.waiting + gate.inFlight, 0),
  };
}

/** Actors of runs that have not ended. */
export function liveActors(cores: Counted['cores']): number {
  const actors = cores.flatMap(({ self, crew, supervisors }) => [self, crew, supervisors]);
  return actors.filter(isActive).length;
}

/** Whatever is not 0, in words; undefined: nothing. */
export function leftIn(census: Partial<Census>): string | undefined {
  const left = Object.entries(census).filter(([, count]) => count > 0);
  if (left.length === 0) return undefined;
  return left.map(([name, count]) => `${String(count)} ${name}`).join(', ');
}

function attemptsOf(services: System['services'], uses: 'function' | 'simulate'): number {
  const agent = { uses, isolate: 'inline' } as AgentSpec;
  return snapshotOf<PoolSnapshot>(services.pool(agent)).attempts.size;
}

function isActive(actor: object): boolean {
  return snapshotOf<{ status: string }>(actor).status === 'active';
}

/** The snapshot of an actor that its users know only as a mailbox. */
function snapshotOf<Snapshot>(actor: object): Snapshot {
  return (actor as { getSnapshot(): Snapshot }).getSnapshot();
}
