import type { Dice } from '../../src/simulation/dice.ts';
import type { RandomAgent, RandomDocument, RandomTask } from './random-workflow.ts';

/**
 * Dresses a random document with what supervision may be asked for: ladders of escalation, pauses, breakers,
 * hedges, health, restarts of groups. It draws from dice of its own, so that the document of a seed stays what it is.
 */
export function withRecoveryKeys(document: RandomDocument, dice: Dice): RandomDocument {
  const tasks = Object.entries(document.tasks).map(([id, task]) => [
    id,
    (id.startsWith('t') ? { ...task, ...recovery(dice), ...hedge(dice) } : task) as RandomTask,
  ]);
  const groups = Object.entries(document.groups ?? {}).map(([id, group]) => [
    id,
    { ...group, ...restarts(dice) },
  ]);
  const { worker, ...others } = document.agents;
  return {
    ...document,
    agents: {
      ...others,
      ...(worker && {
        worker: { ...worker, with: { me: 'worker' }, ...watched(dice) } as RandomAgent,
      }),
      peer: { uses: 'function', module: 'host:worker', with: { me: 'peer' }, owns: ['peer.*'] },
    },
    tasks: Object.fromEntries(tasks) as RandomDocument['tasks'],
    ...(groups.length > 0
      ? { groups: Object.fromEntries(groups) as NonNullable<RandomDocument['groups']> }
      : {}),
  };
}

function recovery(dice: Dice): object {
  return {
    ...dice.maybe(0.3, () => ({ escalation: ladder(dice) })),
    ...dice.maybe(0.15, () => ({ on_exhausted: 'pause' })),
  };
}

/** The bottom rung first; a person who is asked has a day, and a default. */
function ladder(dice: Dice): object[] {
  return [
    ...(dice.chance(0.6) ? [{ rung: 'retry', attempts: dice.between(1, 3) }] : []),
    ...(dice.chance(0.4) ? [{ rung: 'other_worker', attempts: dice.between(1, 2) }] : []),
    ...(dice.chance(0.3) ? [{ degrade: { default: 'D' } }] : []),
    {
      rung: 'person',
      deadline: dice.pick(['2s', '10m']),
      default: dice.pick(['next', 'fail', 'skip']),
    },
  ];
}

function hedge(dice: Dice): object {
  return dice.maybe(0.25, () => ({
    idempotent: true,
    hedge: { after: dice.pick([20, 100]), max: dice.between(1, 2) },
  }));
}

function watched(dice: Dice): object {
  return {
    ...dice.maybe(0.35, () => ({
      breaker: {
        failure_rate: dice.pick(['40%', '70%']),
        minimum_calls: dice.between(1, 3),
        sliding_window: dice.between(3, 6),
        wait: dice.pick([50, 600]),
        half_open_calls: dice.between(1, 2),
        when_open: dice.pick(['wait', 'fail']),
      },
    })),
    ...dice.maybe(0.2, () => ({ health: { max_error_rate: '40%', min_calls: 2 } })),
  };
}

/** How a group begins again when a member fails. */
export function restarts(dice: Dice): object {
  return dice.maybe(0.4, () => ({
    restart: {
      strategy: dice.pick(['one_for_one', 'one_for_all', 'rest_for_one']),
      max_restarts: dice.between(0, 3),
      within: dice.pick(['2s', '30s']),
    },
  }));
}
