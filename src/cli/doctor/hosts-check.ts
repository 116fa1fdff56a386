import { hostsOn } from '../../actors/remote/hosts.ts';
import type { KnownHost } from '../../actors/remote/hosts.ts';
import { systemClock } from '../../core/clock.ts';
import { messageOf } from '../../core/errors.ts';
import { connectBus } from '../../runtime/connect-bus.ts';
import { natsEnvironment } from '../../runtime/nats-environment.ts';
import type { Shell } from '../shell.ts';
import type { Check } from './check.ts';

const name = 'worker hosts';

/** Which pools have worker hosts right now. None is no fault: only remote pools need them. */
export async function hostsCheck(url: string, env: Shell['env']): Promise<Check> {
  try {
    const bus = await connectBus({ url, ...natsEnvironment(env) });
    try {
      return poolsCheck(await hostsOn(bus, systemClock));
    } finally {
      await bus.close();
    }
  } catch (error) {
    return { name, status: 'warn', detail: `not known: ${messageOf(error)}` };
  }
}

/** The pools of hosts, as one line each. */
export function poolsCheck(hosts: readonly KnownHost[]): Check {
  if (hosts.length === 0)
    return { name, status: 'ok', detail: 'none: only local pools are served' };
  const pools = [...new Set(hosts.flatMap((host) => host.pools))].toSorted();
  const list = pools.map((pool) => {
    const serving = hosts.filter((host) => host.pools.includes(pool) && !host.draining);
    const [slots, free] = [sum(serving.map((host) => host.slots)), sum(serving.map(freeOf))];
    return `pool ${pool}: hosts ${serving.length}, slots ${slots}, free ${free}`;
  });
  return { name, status: 'ok', detail: `${hosts.length} in namespace default`, list };
}

function freeOf({ free }: KnownHost): number {
  return free;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
