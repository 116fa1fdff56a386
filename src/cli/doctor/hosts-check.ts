import { hostsOn } from '../../actors/remote/hosts.ts';
import type { KnownHost } from '../../actors/remote/hosts.ts';
import { systemClock } from '../../core/clock.ts';
import { messageOf } from '../../core/errors.ts';
import { connectBus } from '../../runtime/connect-bus.ts';
import { natsEnvironment } from '../../runtime/nats-environment.ts';
import type { Shell } from '../shell.ts';
import type { Check } from './check.ts';

const name = 'worker hosts';

/** Where worker hosts are looked for. */
export interface HostsPlace {
  readonly url: string;
  /** Namespace. Default `default`. */
  readonly ns?: string | undefined;
  readonly env: Shell['env'];
}

/** Which pools have worker hosts right now. None is no fault: only remote pools need them. */
export async function hostsCheck({ url, ns, env }: HostsPlace): Promise<Check> {
  try {
    return poolsCheck(await hostsAt({ url, ns, env }), ns);
  } catch (error) {
    return { name, status: 'warn', detail: `not known: ${messageOf(error)}` };
  }
}

/** Who serves which pools there right now. Rejects when there is no such server. */
export async function hostsAt({ url, ns, env }: HostsPlace): Promise<readonly KnownHost[]> {
  const bus = await connectBus({
    url,
    ...(ns === undefined ? {} : { ns }),
    ...natsEnvironment(env),
  });
  try {
    return await hostsOn(bus, systemClock);
  } finally {
    await bus.close();
  }
}

/** The pools of hosts, as one line each. */
export function poolsCheck(hosts: readonly KnownHost[], ns = 'default'): Check {
  if (hosts.length === 0)
    return { name, status: 'ok', detail: 'none: only local pools are served' };
  const pools = [...new Set(hosts.flatMap((host) => host.pools))].toSorted();
  const list = pools.map((pool) => poolLine(hosts, pool));
  return { name, status: 'ok', detail: `${hosts.length} in namespace ${ns}`, list };
}

/** Hosts and slots of one pool. */
export function poolLine(hosts: readonly KnownHost[], pool: string): string {
  const serving = hosts.filter((host) => host.pools.includes(pool) && !host.draining);
  const [slots, free] = [sum(serving.map((host) => host.slots)), sum(serving.map(freeOf))];
  return `pool ${pool}: hosts ${serving.length}, slots ${slots}, free ${free}`;
}

function freeOf({ free }: KnownHost): number {
  return free;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
