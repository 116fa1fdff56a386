import { agentMachine } from '../actors/agent.ts';
import { createCollection } from '../actors/collection.ts';
import { governorLogic } from '../actors/governor.ts';
import { createPool } from '../actors/pool.ts';
import { workerMachine } from '../actors/worker.ts';
import type { AnyStateMachine } from '../actors/xstate.ts';
import { asyncMergeMachine } from './async-merge.ts';
import { forkJoinMachine } from './fork-join.ts';
import { rootMachine } from './root.ts';
import { runMachine } from './run/run.ts';

/** Every state machine of Troupe by name: what charts show and model tests walk. */
export function allMachines(): { readonly [name: string]: AnyStateMachine } {
  return {
    root: rootMachine,
    run: runMachine,
    fork_join: forkJoinMachine,
    async_merge: asyncMergeMachine,
    worker: workerMachine,
    agent: agentMachine,
  };
}

/** The lifecycles that are written as custom logic: their `config` has the shape of a machine's. */
export function allCollections(): { readonly [name: string]: unknown } {
  return {
    collection: createCollection('collection', {}).config,
    pool: createPool('pool').config,
    governor: governorLogic.config,
  };
}
