import type { Dice } from '../../src/simulation/dice.ts';
import type { RandomDocument, Script } from './random-workflow.ts';

/**
 * A document of which chance and time decide nothing: no attempt fails, nothing has a time limit, and what
 * several write to one key comes out the same in any order.
 */
export function calmDocument(dice: Dice): RandomDocument {
  const tasks = Array.from({ length: dice.between(2, 7) }, (_, index) => {
    const needs = Array.from({ length: index }, (__, on) => `t${on}`).filter(() =>
      dice.chance(0.3),
    );
    const shared = dice.pick(['sum', 'three_way', undefined]);
    const script: Script = {
      ms: dice.pick([0, 10, 60, 200]),
      linger: dice.pick([0, 30]),
      write: true,
      ...dice.maybe(0.3, () => ({ step: true })),
      ...(shared ? { shared } : {}),
    };
    const task = {
      agent: 'worker',
      needs,
      with: script,
      ...(shared ? { writes: [`shared.${shared}`] } : {}),
      ...dice.maybe(0.3, () => ({ locks: [{ name: 'l', mode: dice.pick(['read', 'write']) }] })),
      ...dice.maybe(0.2, () => ({ not_before: dice.pick([20, 120]) })),
      ...dice.maybe(0.5, () => ({ estimate: dice.pick(['10ms', '200ms']) })),
      ...dice.maybe(0.3, () => ({ resources: { cpu: dice.pick([30, 80]) } })),
      ...dice.maybe(0.2, () => ({ aspects: ['x', 'y'] })),
    };
    return [`t${index}`, task as unknown as RandomDocument['tasks'][string]] as const;
  });
  return {
    version: 1,
    name: 'fuzz',
    defaults: { retry: { quarantine_after: 1000 } },
    agents: {
      worker: {
        uses: 'function',
        module: 'host:worker',
        owns: ['worker.*'],
        instances: dice.between(1, 3),
      },
    },
    tasks: Object.fromEntries(tasks),
    memory: {
      keys: { 'shared.sum': { merge: 'sum' }, 'shared.three_way': { merge: 'three_way' } },
    },
    ...dice.maybe(0.6, () => ({ resources: { concurrency: dice.between(1, 3), cpu: 100 } })),
  };
}
