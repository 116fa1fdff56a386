import type { Dice } from '../../src/simulation/dice.ts';
import type { RandomAgent, RandomDocument, RandomTask, Script } from './random-workflow.ts';

/**
 * Dresses a random document with what makes tasks wait for each other and for the world outside: locks,
 * resources, earliest starts, plans, shared memory, providers with limits and refusals, budgets, adaptation.
 * It draws from dice of its own, so that the bare document of a seed stays what it is.
 */
export function dressed(document: RandomDocument, dice: Dice): RandomDocument {
  const isPlanned = dice.chance(0.35);
  const hasProvider = dice.chance(0.4);
  const merging: [Rule, Rule] = [dice.pick(rules), dice.pick<Rule>(['manual', dice.pick(rules)])];
  const manner = { dice, hasProvider, isPlanned, merging };
  const tasks = Object.entries(document.tasks).map(([id, task]) => {
    if (!id.startsWith('t')) return [id, task] as const;
    return [id, dressedTask(task, manner)] as const;
  });
  return {
    ...document,
    agents: {
      ...document.agents,
      worker: { ...document.agents['worker'], ...workerKeys(dice, hasProvider) } as RandomAgent,
    },
    tasks: Object.fromEntries(tasks),
    memory: memoryOf(dice),
    ...(hasProvider ? providersOf(dice) : {}),
    ...dice.maybe(0.6, () => ({ resources: { ...document.resources, ...resourcesOf(dice) } })),
    ...dice.maybe(0.25, () => adaptationOf(dice)),
    ...dice.maybe(0.5, () => ({
      schedule: {
        share: dice.pick([0.5, 1, 4]),
        class: dice.pick(['interactive', 'normal', 'batch']),
      },
    })),
  };
}

/** Ways of merging that a key is named after. */
const rules = ['append', 'manual', 'priority_merge', 'sum', 'three_way'] as const;

type Rule = (typeof rules)[number];

interface Manner {
  readonly dice: Dice;
  readonly hasProvider: boolean;
  readonly isPlanned: boolean;
  /** The ways of merging of keys that several write to. */
  readonly merging: readonly [Rule, Rule];
}

function dressedTask(task: RandomTask, manner: Manner): RandomTask {
  const { dice, isPlanned } = manner;
  const script = dressedScript(task.with, manner);
  return {
    // What is split at run time is not planned.
    ...(isPlanned ? unsplit(task) : task),
    ...(isPlanned ? planKeys(dice) : {}),
    ...dice.maybe(0.45, () => ({ locks: locksOf(dice) })),
    ...dice.maybe(0.3, () => ({ resources: { cpu: dice.pick([20, 60, 100]) } })),
    ...dice.maybe(0.2, () => ({ not_before: dice.pick([5, 40, 150]) })),
    ...dice.maybe(0.1, () => ({ files: { writes: [dice.pick(['a/', 'a/x', 'b'])] } })),
    with: script,
    ...(script.shared === undefined ? {} : { writes: [`shared.${script.shared}`] }),
  };
}

function unsplit(task: RandomTask): RandomTask {
  const split = ['for_each', 'shards', 'aspects', 'aggregate', 'barrier'];
  return Object.fromEntries(
    Object.entries(task).filter(([key]) => !split.includes(key)),
  ) as unknown as RandomTask;
}

function planKeys(dice: Dice): object {
  return dice.chance(0.5)
    ? { estimate: dice.pick(['10ms', '60ms', '200ms']) }
    : { complexity: dice.pick([0.001, 0.01, 'low']) };
}

function locksOf(dice: Dice): NonNullable<RandomTask['locks']> {
  const timeout = (): object => ({ timeout: dice.pick([10, 50, 200]) });
  const names = dice.pick([['ledger'], ['ledger'], ['ledger', 'desk']]);
  return names.map((name) => ({
    name,
    mode: dice.pick(['read', 'write']),
    ...dice.maybe(0.4, timeout),
  }));
}

function dressedScript(script: Script, { dice, hasProvider, merging }: Manner): Script {
  // Fewer failures than bare documents have: they would end before much of this is reached.
  const { fail: _, ...sound } = script;
  return {
    ...(dice.chance(0.6) ? sound : script),
    ...dice.maybe(0.5, () => ({ shared: dice.pick<Rule>(merging) })),
    ...(hasProvider ? dice.maybe(0.7, () => ({ calls: callsOf(dice) })) : {}),
  };
}

function callsOf(dice: Dice): NonNullable<Script['calls']> {
  return {
    count: dice.between(1, 3),
    tokens: dice.pick([0, 10, 300]),
    refused: dice.pick([0, 0, 1, 2]),
    ...dice.maybe(0.2, () => ({ shrug: true })),
  };
}

function workerKeys(dice: Dice, hasProvider: boolean): object {
  return {
    ...dice.maybe(0.4, () => ({ instances: dice.between(1, 3) })),
    ...(hasProvider ? { provider: 'api' } : {}),
    ...(hasProvider ? dice.maybe(0.3, () => ({ budget: { tokens: dice.pick([200, 900]) } })) : {}),
  };
}

function memoryOf(dice: Dice): object {
  return {
    ...dice.maybe(0.15, () => ({ writers: dice.between(1, 2) })),
    ...dice.maybe(0.15, () => ({ lock_timeout: dice.pick([20, 100]) })),
    keys: Object.fromEntries(rules.map((merge) => [`shared.${merge}`, { merge }])),
  };
}

function providersOf(dice: Dice): object {
  const api = {
    ...dice.maybe(0.4, () => ({ requests_per_minute: dice.pick([3, 10]) })),
    ...dice.maybe(0.3, () => ({ tokens_per_minute: 700 })),
    ...dice.maybe(0.5, () => ({ concurrency: dice.pick([1, 2, { max: 2 }]) })),
  };
  const budget = {
    ...dice.maybe(0.7, () => ({ tokens: dice.pick([300, 1000]) })),
    ...dice.maybe(0.3, () => ({ time: dice.pick([60, 200]) })),
  };
  return { providers: { api }, ...dice.maybe(0.4, () => ({ budget })) };
}

function resourcesOf(dice: Dice): object {
  return {
    cpu: 100,
    ...dice.maybe(0.4, () => ({ cpu_oversubscription: 1.2 })),
    ...dice.maybe(0.2, () => ({ concurrency: 'auto' })),
  };
}

function adaptationOf(dice: Dice): object {
  return {
    adaptation: true,
    monitoring: {
      interval: 100,
      thresholds: { response_time: dice.pick([20, 80]), queue_depth: dice.between(0, 1) },
    },
  };
}
