import { agentMachine } from '../actors/agent.ts';
import { busLinkMachine } from '../actors/bus-link.ts';
import { createCollection } from '../actors/collection.ts';
import { governorLogic } from '../actors/governor.ts';
import { leaseMachine } from '../actors/lease.ts';
import { monitorMachine } from '../actors/monitor.ts';
import { patrolMachine } from '../actors/patrol.ts';
import { createPool } from '../actors/pool.ts';
import { providerGateMachine } from '../actors/provider-gate.ts';
import { runTakerMachine } from '../actors/run-taker.ts';
import { createSupervisor } from '../actors/supervisor.ts';
import { workerMachine } from '../actors/worker.ts';
import { workerHostMachine } from '../actors/worker-host.ts';
import { setup } from '../actors/xstate.ts';
import type { AnyStateMachine } from '../actors/xstate.ts';
import { asyncMergeMachine } from './async-merge.ts';
import { circuitBreakerMachine } from './circuit-breaker.ts';
import { escalationMachine } from './escalation.ts';
import { forkJoinMachine } from './fork-join.ts';
import { rootMachine } from './root.ts';
import { runMachine } from './run/run.ts';

/**
 * Every lifecycle of Troupe by name: what charts show and model tests walk. Collections, pools and the
 * governor are custom logic whose `config` has the shape of a machine's; they stand here as that machine.
 */
export function allMachines(): { readonly [name: string]: AnyStateMachine } {
  return {
    root: rootMachine,
    bus_link: busLinkMachine,
    lease: leaseMachine,
    run_taker: runTakerMachine,
    patrol: patrolMachine,
    monitor: monitorMachine,
    governor: drawn(governorLogic.config),
    supervisor: drawn(createSupervisor('supervisor').config),
    collection: drawn(createCollection('collection', {}).config),
    provider_gate: providerGateMachine,
    circuit_breaker: circuitBreakerMachine,
    agent: agentMachine,
    pool: drawn(createPool('pool').config),
    run: runMachine,
    fork_join: forkJoinMachine,
    async_merge: asyncMergeMachine,
    worker: workerMachine,
    worker_host: workerHostMachine,
    escalation: escalationMachine,
  };
}

function drawn(config: unknown): AnyStateMachine {
  return setup({}).createMachine(config as never) as unknown as AnyStateMachine;
}
