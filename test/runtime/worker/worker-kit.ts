import { createEmbeddedBus } from '../../../src/bus/embedded/embedded-bus.ts';
import type { Bus } from '../../../src/bus/bus.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { createTroupe } from '../../../src/runtime/troupe.ts';
import type { Troupe, TroupeOptions } from '../../../src/runtime/api.ts';
import { createWorker } from '../../../src/runtime/worker/create-worker.ts';
import type { WorkerHost, WorkerOptions } from '../../../src/runtime/worker/api.ts';

/** Everything that one test starts, ended in reverse order. */
export class Stage {
  private readonly ends: (() => Promise<unknown>)[] = [];

  bus(): Bus {
    const bus = createEmbeddedBus({ clock: systemClock, schedule: setImmediate });
    this.ends.push(() => bus.close());
    return bus;
  }

  async troupe(options: TroupeOptions): Promise<Troupe> {
    const troupe = await createTroupe(options);
    this.ends.push(() => troupe.close());
    return troupe;
  }

  async worker(options: WorkerOptions): Promise<WorkerHost> {
    const worker = await createWorker(options);
    this.ends.push(() => worker.close());
    return worker;
  }

  onEnd(end: () => Promise<unknown>): void {
    this.ends.push(end);
  }

  async end(): Promise<void> {
    for (const end of this.ends.toReversed()) await end();
    this.ends.length = 0;
  }
}

/** A workflow of one task that a function of the worker host does. */
export function remoteTask(rest: object = {}, pool: object = {}): object {
  return {
    pools: { gpu: { remote: true, ...pool } },
    agents: { a: { uses: 'function', module: 'host:work', pool: 'gpu' } },
    tasks: { t: { agent: 'a', ...rest } },
  };
}

/** A promise, and what resolves it. */
export function deferred<Value>(): [Promise<Value>, (value: Value) => void] {
  let resolve: (value: Value) => void = () => undefined;
  const promise = new Promise<Value>((settle) => (resolve = settle));
  return [promise, resolve];
}
