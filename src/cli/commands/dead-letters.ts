import type { DeadLetter } from '../../journal/dead-letters.ts';
import { writeJson, writeLines } from '../output.ts';
import { fit, oneLine } from '../render/width.ts';
import type { Shell } from '../shell.ts';

/** `troupe show RUN --dead-letters`: what could be neither delivered nor applied, and why. */
export function showDeadLetters(
  shell: Shell,
  run: string,
  { letters, json }: { readonly letters: readonly DeadLetter[]; readonly json: boolean },
): void {
  if (json) return writeJson(shell, { format: 1, run_id: run, dead_letters: letters });
  if (letters.length === 0) return writeLines(shell, ['no dead letters']);
  const columns = shell.outIsTerminal() ? shell.outColumns() : Number.POSITIVE_INFINITY;
  writeLines(
    shell,
    letters.map((letter) => fit(lineOf(letter), columns)),
  );
}

function lineOf({ seq, kind, task, attempt, reason }: DeadLetter): string {
  const who = task === null ? '-' : `${task}${attempt === null ? '' : ` #${attempt}`}`;
  return `${String(seq).padStart(6)}  ${kind.padEnd(13)}  ${who}  ${oneLine(reason)}`;
}
