import { TroupeError } from '../core/errors.ts';
import type { DurabilityLevel, OwnedRun } from '../journal/journal.ts';
import type { RunStarted } from '../journal/record.ts';
import type { Workflow } from '../workflow/model.ts';
import { startOf } from './stored-runs.ts';

/** From the least to the most. */
const levels: readonly DurabilityLevel[] = ['memory', 'process', 'power'];

/**
 * Refuses a run whose document asks that its records survive more than they do here.
 * @throws TroupeError TRP_DURABILITY
 */
export function assertDurable(
  { name, durability }: Pick<Workflow, 'name' | 'durability'>,
  level: DurabilityLevel,
): void {
  if (durability === undefined || levels.indexOf(level) >= levels.indexOf(durability)) return;
  throw new TroupeError(
    'TRP_DURABILITY',
    `${name} asks for durability ${durability}; the journal of this process gives ${level}.`,
    { place: 'durability', hint: hintFor(durability) },
  );
}

/**
 * The first record of a run that was taken over. One that asks for more than it gets here is given up again.
 * @throws TroupeError TRP_DURABILITY, and what the journal is refused with
 */
export async function durableStart(owned: OwnedRun, level: DurabilityLevel): Promise<RunStarted> {
  try {
    const start = startOf(owned);
    if (!start.simulated) assertDurable(start.workflow, level);
    return start;
  } catch (error) {
    await owned.release();
    throw error;
  }
}

function hintFor(durability: DurabilityLevel): string {
  return durability === 'process'
    ? 'Give the process a data folder, or a journal on the bus.'
    : 'Give the process a data folder with --durability power, or a bus with --server-sync always.';
}
