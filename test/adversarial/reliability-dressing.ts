import type { Dice } from '../../src/simulation/dice.ts';
import type { RandomAgent, RandomDocument, RandomTask } from './random-workflow.ts';

/**
 * Dresses a random document with what keeps calls and attempts in check: breakers of agents and pools, hedges,
 * health and thresholds. Times are small, so that breakers open and close within a story. It draws from dice of its own.
 */
export function withReliabilityKeys(document: RandomDocument, dice: Dice): RandomDocument {
  const { worker, ...others } = document.agents;
  const tasks = Object.entries(document.tasks).map(([id, task]) => {
    const hedge = dice.maybe(0.6, () => ({ idempotent: true, hedge: hedgeOf(dice) }));
    return [id, { ...task, ...hedge } as RandomTask] as const;
  });
  return {
    ...document,
    agents: {
      ...others,
      ...(worker && {
        worker: {
          ...worker,
          with: { me: 'worker' },
          ...dice.maybe(0.7, () => ({ breaker: breakerOf(dice) })),
          ...dice.maybe(0.3, () => ({
            peers: ['peer'],
            breaker: { ...breakerOf(dice), when_open: 'redistribute' },
          })),
          ...dice.maybe(0.3, () => ({ health: healthOf(dice) })),
        } as RandomAgent,
      }),
      peer: {
        uses: 'function',
        module: 'host:worker',
        with: { me: 'peer' },
        owns: ['peer.*'],
        ...(worker?.provider && { provider: worker.provider }),
      },
    },
    tasks: Object.fromEntries(tasks),
    ...dice.maybe(0.3, () => ({ breakers: { pools: { 'function-inline': breakerOf(dice) } } })),
    ...dice.maybe(0.3, () => ({ health: healthOf(dice) })),
    ...dice.maybe(0.2, () => ({ monitoring: { interval: 100, thresholds: { queue_depth: 1 } } })),
  };
}

function breakerOf(dice: Dice): object {
  return {
    minimum_calls: dice.between(1, 3),
    sliding_window: dice.pick<string | number>([3, 10, '50ms']),
    failure_rate: dice.pick(['30%', '50%', '100%']),
    wait: dice.pick([5, 30, 100]),
    half_open_calls: dice.between(1, 2),
    ...dice.maybe(0.3, () => ({ slow_call_duration: dice.pick([10, 60]) })),
    when_open: dice.pick(['wait', 'wait', 'redistribute', 'fail']),
  };
}

function hedgeOf(dice: Dice): object {
  return { after: dice.pick<string | number>([5, 15, 40, 'p95']), max: dice.between(1, 2) };
}

function healthOf(dice: Dice): object {
  return { max_error_rate: '40%', min_calls: dice.between(1, 3), max_response_time: 50 };
}
