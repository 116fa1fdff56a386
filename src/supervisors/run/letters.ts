import { keptLetter } from '../../journal/dead-letters.ts';
import type { RunCore } from './core.ts';
import type { Dropped } from './events.ts';

/** Letters that one process writes of what was dropped in a run; what follows is counted in the log only. */
export const maxOverflowLetters = 1_000;

/** Writes down what was dropped, and how much was dropped before: a flood fills a bounded part of the journal. */
export function letterDropped(core: RunCore, { kind, reason, task, letter }: Dropped): void {
  const count = (core.dropped ?? 0) + 1;
  core.dropped = count;
  if (Number.isInteger(Math.log10(count)))
    core.services.logger.warn(reason, { run: core.run, dropped: count });
  if (count > maxOverflowLetters) return;
  core.ledger.commit([
    {
      type: 'letter.dead',
      kind,
      reason: `${reason} (number ${count} since this process carries the run)`,
      ...(task === undefined ? {} : { task }),
      ...keptLetter(letter),
    },
  ]);
}
