import type { Dice } from '../../src/simulation/dice.ts';
import type { RandomDocument, RandomTask } from './random-workflow.ts';

/**
 * Dresses the barriers of a random document with everything that they may be asked for: weights, quorums, soft and
 * hard deadlines, late members, alerts. It draws from dice of its own, so that the document of a seed stays what it is.
 */
export function withBarrierKeys(document: RandomDocument, dice: Dice): RandomDocument {
  const tasks = Object.entries(document.tasks).map(([id, task]) => [
    id,
    { ...task, ...weightOf(dice), ...splitKeys(task, dice) } as RandomTask,
  ]);
  const groups = Object.entries(document.groups ?? {}).map(([id, group]) => {
    const late = dice.maybe(0.5, () => ({ late: dice.pick(['merge', 'merge', 'drop']) }));
    const barrier = { ...barred(group.barrier ?? {}, group.tasks.length, dice), ...late };
    return [id, { ...group, barrier }];
  });
  return {
    ...document,
    tasks: { ...(Object.fromEntries(tasks) as RandomDocument['tasks']), ...keeper(dice) },
    ...(groups.length > 0
      ? { groups: Object.fromEntries(groups) as NonNullable<RandomDocument['groups']> }
      : {}),
  };
}

/** A task beside everything else, without which most runs end before anything comes late. */
function keeper(dice: Dice): RandomDocument['tasks'] {
  const task: RandomTask = { agent: 'worker', with: { ms: 700, linger: 0 } };
  return dice.chance(0.6) ? { tkeeper: task } : {};
}

function weightOf(dice: Dice): object {
  return dice.maybe(0.4, () => ({ weight: dice.pick([0.5, 2, 3.5]) }));
}

/** Parts of a split task are at least one, whatever it is split by. */
function splitKeys(task: RandomTask, dice: Dice): object {
  return task.barrier ? { barrier: barred(task.barrier, 1, dice) } : {};
}

function barred(barrier: object, members: number, dice: Dice): object {
  const { timeout = 60 } = barrier as { readonly timeout?: number };
  return {
    ...barrier,
    ...dice.maybe(0.4, () => ({ soft_deadline: Math.max(1, Math.floor(timeout / 2)) })),
    ...dice.maybe(0.3, () => ({ hard_deadline: timeout + dice.pick([0, 30, 200]) })),
    ...dice.maybe(0.4, () => quorumKeys(members, dice)),
    ...dice.maybe(0.3, () => ({ min_success: { weight: dice.pick([0, 0.5, 1]) } })),
    ...dice.maybe(0.3, () => ({ notify: true })),
  };
}

function quorumKeys(members: number, dice: Dice): object {
  const quorum = dice.between(1, members);
  return { quorum, min_success: dice.between(0, quorum) };
}
