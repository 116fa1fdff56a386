import type { Bus } from '../../bus/bus.ts';
import { workSubject } from '../../bus/subjects.ts';
import { workProtocol } from '../../actors/remote/messages.ts';
import { engineVersion } from '../engine-version.ts';
import type { PoolTally } from './pool-tally.ts';

/** What is shown of a host. */
export interface ShownHost {
  readonly id: string;
  readonly slots: number;
  /** Wall time at which it was started, in milliseconds. */
  readonly startedAt: number;
  readonly pools: readonly string[];
  tally(pool: string): PoolTally;
}

/**
 * Shows each pool of a host to `nats micro ls`, `info` and `stats`, as the service `troupe-<pool>`. Does nothing on a
 * bus that has no such tools. The function returned ends it.
 */
export function showServices(bus: Bus, host: ShownHost): () => void {
  const ends = host.pools.map((pool) =>
    bus.serve?.({
      name: `troupe-${pool}`,
      id: host.id,
      version: semantic(engineVersion),
      started: new Date(host.startedAt).toISOString(),
      description: `Attempts of pool ${pool}, carried out by a worker host of Troupe.`,
      metadata: {
        namespace: bus.ns,
        pool,
        slots: String(host.slots),
        work_protocol: String(workProtocol),
      },
      endpoint: {
        name: 'attempts',
        subject: workSubject(bus.ns, pool, 'p0').replace(/p0$/, '*'),
        queue: pool,
      },
      stats: () => host.tally(pool).shown(),
    }),
  );
  return () => {
    for (const end of ends) end?.();
  };
}

/** Tools take nothing but a semantic version. */
function semantic(version: string): string {
  return /^\d+\.\d+\.\d+/.test(version) ? version : '0.0.0';
}
