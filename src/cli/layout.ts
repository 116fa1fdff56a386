import { painter } from './render/painter.ts';
import type { SummaryOptions } from './render/summary.ts';
import type { Shell } from './shell.ts';

/** How results in text are laid out on a shell. */
export function layoutOf(
  shell: Shell,
): Required<Pick<SummaryOptions, 'paint' | 'columns' | 'isTerminal'>> {
  return {
    paint: painter(shell.colours.out),
    columns: shell.outColumns(),
    isTerminal: shell.outIsTerminal(),
  };
}
