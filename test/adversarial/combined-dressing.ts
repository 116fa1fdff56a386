import type { Dice } from '../../src/simulation/dice.ts';
import { withBarrierKeys } from './barrier-dressing.ts';
import { withLadders } from './ladder-dressing.ts';
import type { RandomDocument } from './random-workflow.ts';
import { restarts } from './recovery-dressing.ts';
import { withReliabilityKeys } from './reliability-dressing.ts';

/**
 * Dresses a random document from all wardrobes at once: barriers, breakers and hedges, ladders and pauses, restarts
 * of groups. Each is left out now and then, so that pairs meet as well. It draws from dice of its own.
 */
export function withEverything(document: RandomDocument, dice: Dice): RandomDocument {
  const coats = [withBarrierKeys, withReliabilityKeys, withLadders, withRestarts];
  return coats.reduce(
    (dressed, coat) => (dice.chance(0.8) ? coat(dressed, dice) : dressed),
    document,
  );
}

function withRestarts(document: RandomDocument, dice: Dice): RandomDocument {
  const groups = Object.entries(document.groups ?? {}).map(([id, group]) => [
    id,
    { ...group, ...restarts(dice) },
  ]);
  if (groups.length === 0) return document;
  return {
    ...document,
    groups: Object.fromEntries(groups) as NonNullable<RandomDocument['groups']>,
  };
}
