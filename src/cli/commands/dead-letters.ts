import type { PoolDeadLetter } from '../../bus/work-queue.ts';
import { withoutLogin } from '../../core/bus-choice.ts';
import { TroupeError } from '../../core/errors.ts';
import type { DeadLetter } from '../../journal/dead-letters.ts';
import { jsonText } from '../../runtime/control/json.ts';
import { busChoice } from '../options.ts';
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

/**
 * `troupe show --dead-letters --bus BUS`: items that the queues of a bus have given up.
 * @throws TroupeError TRP_OPTION_INVALID where no bus or nothing to list is named
 */
export async function showBusLetters(
  shell: Shell,
  options: { readonly bus?: string; readonly deadLetters?: boolean; readonly json?: boolean },
): Promise<void> {
  const bus = busChoice(shell, options);
  if (options.deadLetters !== true || bus === undefined) throw nothingNamed();
  const troupe = await shell.openTroupe({ bus, control: false });
  try {
    const letters = await troupe.bus.deadLetters();
    if (options.json === true)
      return writeJson(shell, { format: 1, bus: withoutLogin(bus), dead_letters: letters });
    if (letters.length === 0) return writeLines(shell, ['no dead letters']);
    const columns = shell.outIsTerminal() ? shell.outColumns() : Number.POSITIVE_INFINITY;
    writeLines(
      shell,
      letters.map((letter) => fit(busLineOf(letter), columns)),
    );
  } finally {
    await troupe.close();
  }
}

function nothingNamed(): TroupeError {
  return new TroupeError('TRP_OPTION_INVALID', 'show was given no run', {
    hint: 'Name a run (`troupe runs` lists them), or a bus for its dead letters: troupe show --dead-letters --bus URL.',
  });
}

/** Number, pool, deliveries, id, reason, and what the item was. */
function busLineOf({ seq, pool, deliveries, id, reason, payload }: PoolDeadLetter): string {
  const head = `${String(seq).padStart(6)}  ${pool}  ${deliveries}x  ${id}`;
  return `${head}  ${oneLine(reason)}  ${oneLine(jsonText(payload))}`;
}

function lineOf({ seq, kind, task, attempt, reason }: DeadLetter): string {
  const who = task === null ? '-' : `${task}${attempt === null ? '' : ` #${attempt}`}`;
  return `${String(seq).padStart(6)}  ${kind.padEnd(13)}  ${who}  ${oneLine(reason)}`;
}
