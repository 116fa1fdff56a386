import type { Bus } from '../../../src/bus/bus.ts';
import { createEmbeddedBus } from '../../../src/bus/embedded/embedded-bus.ts';
import type { EventLog } from '../../../src/bus/event-log.ts';
import type { EmbeddedBus } from '../../../src/bus/embedded/embedded-bus.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { openSharedMemory } from '../../../src/memory/shared/open.ts';
import type {
  SharedMemory,
  SharedMemoryOptions,
} from '../../../src/memory/shared/shared-memory.ts';
import { startNatsServer } from '../../support/nats-server.ts';
import type { NatsServer } from '../../support/nats-server.ts';

/** Where memories are shared in a test: each member of it has a bus of its own where the driver has such. */
export interface Ground {
  readonly bus: () => Promise<Bus>;
  readonly end: () => Promise<void>;
}

/** One process, a connection for each who asks. */
export function embeddedGround(): Promise<Ground & { readonly buses: EmbeddedBus[] }> {
  const root = createEmbeddedBus({ clock: systemClock, schedule: setImmediate });
  const buses: EmbeddedBus[] = [];
  return Promise.resolve({
    buses,
    bus: () => {
      const peer = root.peer();
      buses.push(peer);
      return Promise.resolve(peer);
    },
    end: async () => {
      await Promise.all(buses.map((bus) => bus.close()));
      await root.close();
    },
  });
}

/** A NATS server, and a connection for each who asks. */
export async function natsGround(): Promise<Ground & { readonly server: NatsServer }> {
  const { connectNats } = await import('../../../src/bus/nats/connect.ts');
  const server = await startNatsServer();
  const buses: Bus[] = [];
  return {
    server,
    bus: async () => {
      const bus = await connectNats({
        url: server.url,
        clock: systemClock,
        schedule: setImmediate,
        closeTimeoutMs: 500,
      });
      buses.push(bus);
      return bus;
    },
    end: async () => {
      await Promise.all(buses.map((bus) => bus.close()));
      await server.stop();
    },
  };
}

/** Opens memories and closes all of them, and their ground, at the end of a test. */
export class Company {
  readonly ground: Ground;
  private readonly members: SharedMemory[] = [];

  constructor(ground: Ground) {
    this.ground = ground;
  }

  async open(options: Omit<SharedMemoryOptions, 'bus' | 'name'> = {}): Promise<SharedMemory> {
    const member = await openSharedMemory({ bus: await this.ground.bus(), name: 'm', ...options });
    this.members.push(member);
    return member;
  }

  async end(): Promise<void> {
    await Promise.all(this.members.map((member) => member.close()));
    await this.ground.end();
  }
}

/** A promise with its ends. */
export function promised<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

/** A bus whose logs differ in some methods. */
export function busWithLog(bus: Bus, change: (log: EventLog) => Partial<EventLog>): Bus {
  const log = async (...args: Parameters<Bus['log']>): Promise<EventLog> => {
    const real = await bus.log(...args);
    return Object.assign(bound(real), change(real));
  };
  return Object.assign(bound(bus), { log });
}

/** An object that passes every call on to another, whose methods may hold private state. */
function bound<T extends object>(target: T): T {
  return new Proxy({} as T, {
    get: (own, name) => {
      const value: unknown = Reflect.get(
        name in own ? own : target,
        name,
        name in own ? own : target,
      );
      return typeof value === 'function' && !(name in own)
        ? (value as (...args: unknown[]) => unknown).bind(target)
        : value;
    },
  });
}
