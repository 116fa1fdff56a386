import type { Clock } from '../../core/clock.ts';
import type { AgentSpec } from '../../workflow/model.ts';
import type { Behaviour, TaskFunction } from './behaviour.ts';
import { createFunctionBehaviour } from './function.ts';
import type { Environment } from './process/environment.ts';
import { createSimulateBehaviour } from './simulate.ts';

/** What the behaviours of a process share. */
export interface BehavioursOptions {
  readonly clock: Clock;
  /** Functions that a document names as `host:NAME`. Default: none. */
  readonly functions?: { readonly [name: string]: TaskFunction };
  /** The environment from which children get their allow-listed part. Default: empty. */
  readonly environment?: Environment;
  /** Agents that work outside of this thread are played by `simulate`. Default: false. */
  readonly closed?: boolean;
}

/** One behaviour per way of working, made when first asked for. */
export interface Behaviours {
  /**
   * How an agent works. The same behaviour serves all agents of its kind.
   * @param options `simulate: true` gives the simulation instead, whatever the agent uses.
   */
  for(agent: AgentSpec, options?: { readonly simulate?: boolean }): Behaviour;
  /**
   * Waits for the threads, processes and programs of attempts that still run, and ends what is kept between
   * attempts. Abort the attempts first: they then end within their kill time.
   */
  close(): Promise<void>;
}

type Way = 'function' | 'thread' | 'process' | 'command' | 'simulate';

/** Child processes and threads are loaded on the first attempt that needs them. */
export function createBehaviours(options: BehavioursOptions): Behaviours {
  const { clock, functions = {}, environment = {}, closed = false } = options;
  const made = new Map<Way, Behaviour>();
  const makers: { readonly [way in Way]: () => Behaviour } = {
    function: () => createFunctionBehaviour({ clock, functions }),
    simulate: () => createSimulateBehaviour({ clock }),
    command: () =>
      deferred(async () =>
        (await import('./command.ts')).createCommandBehaviour({ clock, environment }),
      ),
    thread: () =>
      deferred(async () =>
        (await import('./isolation/thread.ts')).createThreadBehaviour({ clock, environment }),
      ),
    process: () =>
      deferred(async () =>
        (await import('./isolation/process.ts')).createProcessBehaviour({ clock, environment }),
      ),
  };
  return {
    for(agent, { simulate = false } = {}) {
      const own = wayOf(agent);
      const way = simulate || (closed && own !== 'function') ? 'simulate' : own;
      const behaviour = made.get(way) ?? makers[way]();
      made.set(way, behaviour);
      return behaviour;
    },
    async close() {
      await Promise.all([...made.values()].map(async (behaviour) => behaviour.close?.()));
    },
  };
}

function wayOf({ uses, isolate }: AgentSpec): Way {
  return uses === 'function' && isolate !== 'inline' ? isolate : uses;
}

/** A behaviour that is loaded once, when its first attempt comes. Closing it waits for the attempts under way. */
function deferred(load: () => Promise<Behaviour>): Behaviour {
  const running = new Set<Promise<unknown>>();
  let loading: Promise<Behaviour> | undefined;
  return {
    async execute(request, port) {
      loading ??= load();
      const attempt = loading.then((behaviour) => behaviour.execute(request, port));
      running.add(attempt);
      return attempt.finally(() => running.delete(attempt));
    },
    async close() {
      await Promise.allSettled(running);
      await (await loading)?.close?.();
    },
  };
}
