import type { Dice } from '../../src/simulation/dice.ts';
import type { RandomAgent, RandomDocument, RandomTask } from './random-workflow.ts';

/**
 * Dresses a random document with everything that may follow a failure: peers, models, ladders of all kinds with times
 * and costs, limits by class, pauses. It draws from dice of its own, so that the document of a seed stays what it is.
 */
export function withLadders(document: RandomDocument, dice: Dice): RandomDocument {
  const tasks = Object.entries(document.tasks).map(([id, task]) => [
    id,
    id.startsWith('t') ? recovering(task, dice) : task,
  ]);
  const { provider } = document.agents['worker'] ?? {};
  // Whoever stands in calls what the other one does.
  const provided = provider === undefined ? {} : { provider };
  const groups = Object.entries(document.groups ?? {}).map(([id, group]) => [
    id,
    { ...group, ...dice.maybe(0.4, () => ({ escalation: ladder(dice) })) },
  ]);
  return {
    ...document,
    agents: {
      ...document.agents,
      worker: {
        ...document.agents['worker'],
        with: { me: 'worker' },
        ...dice.maybe(0.7, () => ({ peers: dice.pick([['spare'], ['spare', 'other']]) })),
        ...dice.maybe(0.5, () => ({ fallback_models: ['small', 'tiny'] })),
      } as RandomAgent,
      spare: {
        uses: 'function',
        module: 'host:worker',
        with: { me: 'spare' },
        ...provided,
        ...dice.maybe(0.2, () => ({ limits: { concurrency: 1 } })),
      },
      other: {
        uses: 'function',
        module: 'host:worker',
        with: { me: 'other' },
        instances: 2,
        ...provided,
      },
    },
    tasks: Object.fromEntries(tasks) as RandomDocument['tasks'],
    ...(groups.length > 0
      ? { groups: Object.fromEntries(groups) as NonNullable<RandomDocument['groups']> }
      : {}),
    ...dice.maybe(0.3, () => ({ escalation: ladder(dice) })),
  };
}

function recovering(task: RandomTask, dice: Dice): RandomTask {
  const fail = dice.pick<readonly number[]>([[1], [1, 2, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9]]);
  return {
    ...task,
    with: { ...task.with, ...dice.maybe(0.85, () => ({ fail })) },
    ...dice.maybe(0.4, () => ({ retry: retryOf(dice) })),
    ...dice.maybe(0.6, () => ({ escalation: ladder(dice) })),
    ...dice.maybe(0.3, () => ({ on_failure: dice.pick(['fail', 'redistribute', 'escalate']) })),
    ...dice.maybe(0.25, () => ({ on_exhausted: 'pause' })),
  };
}

/** As text: an object in code must not look like a promise. */
const followUps = [
  '{"then":"peer"}',
  '{"then":["model","person"]}',
  '{"then":"pause"}',
  '{"then":"fail"}',
] as const;

function retryOf(dice: Dice): object {
  return {
    max_attempts: dice.between(1, 2),
    initial: dice.pick([1, 20]),
    backoff: dice.pick(['decorrelated', 'fixed', 'exponential']),
    max: 200,
    ...dice.maybe(0.4, () => ({ on: { transient: dice.between(1, 3), permanent: 2, timeout: 1 } })),
    ...dice.maybe(0.3, () => JSON.parse(dice.pick(followUps)) as object),
  };
}

const rungs: readonly [(dice: Dice) => unknown, ...((dice: Dice) => unknown)[]] = [
  () => 'retry',
  () => 'other_worker',
  () => 'supervisor',
  (dice) => ({ rung: 'other_worker', ...bounds(dice) }),
  (dice) => ({ rung: 'other_model', ...bounds(dice) }),
  (dice) => ({ rung: 'person', ...bounds(dice) }),
  () => ({ degrade: { default: 'less' } }),
  (dice) => ({ degrade: { agent: 'spare' }, ...bounds(dice) }),
];

function ladder(dice: Dice): unknown[] {
  return Array.from({ length: dice.between(2, 5) }, () => dice.pick(rungs)(dice));
}

function bounds(dice: Dice): object {
  return {
    ...dice.maybe(0.4, () => ({ attempts: dice.between(1, 3) })),
    ...dice.maybe(0.6, () => ({ deadline: dice.pick([15, 60, 300]) })),
    ...dice.maybe(0.5, () => ({ default: dice.pick(['next', 'use_default', 'fail', 'skip']) })),
  };
}
