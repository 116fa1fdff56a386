import { errorCodes } from '../../core/errors.ts';
import type { ErrorCode } from '../../core/errors.ts';
import type { RunReport, TaskReport } from '../../runtime/report.ts';
import { byStanding } from './painter.ts';
import type { Painter } from './painter.ts';
import { counted } from './shapes.ts';
import { oneLine, wrapped } from './width.ts';

/** Tasks that are named; the rest is counted. */
const maxShown = 10;

/** Columns at which lines are wrapped; infinite: they are not. */
type WrapColumns = number;

/** What to do next, where an error says more than its code says of all its kind. */
export function ownHint(error: {
  readonly code: ErrorCode;
  readonly hint?: string;
}): string | undefined {
  const { code, hint } = error;
  return hint === undefined || hint === '' || hint === errorCodes[code] ? undefined : hint;
}

/** The tasks of a run that did not succeed and why: those that failed one by one, those cancelled by reason. */
export function failureLines(
  { tasks }: Pick<RunReport, 'tasks'>,
  paint: Painter,
  columns: WrapColumns,
): readonly string[] {
  const needing = tasks.filter(needsAttention);
  if (needing.length === 0) return [];
  const failed = needing.filter(({ outcome }) => outcome !== 'cancelled');
  const more = failed.length - maxShown;
  return [
    paint.strong('not succeeded'),
    ...failed.slice(0, maxShown).flatMap((task) => failedLines(task, paint, columns)),
    ...(more > 0 ? [paint.faint(`  and ${counted(more, 'more task')}`)] : []),
    ...cancelledLines(needing, paint, columns),
  ];
}

/** What was skipped in consequence of something else is in the census; its own line would only bury the cause. */
function needsAttention({ error, outcome }: TaskReport): boolean {
  if (outcome === 'failed' || outcome === 'timed_out' || outcome === 'cancelled') return true;
  return error !== null && outcome !== 'succeeded';
}

function failedLines(task: TaskReport, paint: Painter, columns: WrapColumns): readonly string[] {
  const { attempts, error, outcome, reason } = task;
  const times = attempts > 1 ? ` after ${attempts} attempts` : '';
  const name = `  ${oneLine(task.id)}`;
  const head = wrapped(`${name}  ${outcome.replace('_', ' ')}: ${reason}${times}`, columns).map(
    (line) =>
      line.startsWith(name) ? byStanding(paint, outcome)(name) + line.slice(name.length) : line,
  );
  if (error === null) return head;
  const hint = ownHint(error);
  return [
    ...head,
    ...wrapped(`    ${error.code} ${oneLine(error.message)}`, columns),
    ...(hint === undefined ? [] : wrapped(`    next: ${oneLine(hint)}`, columns)),
  ];
}

/** One line per reason: whoever cancels a run knows why, and its tasks all say the same. */
function cancelledLines(
  tasks: readonly TaskReport[],
  paint: Painter,
  columns: WrapColumns,
): readonly string[] {
  const idsOfReason = new Map<string, string[]>();
  for (const { id, outcome, reason } of tasks) {
    if (outcome !== 'cancelled') continue;
    const ids = idsOfReason.get(reason) ?? [];
    idsOfReason.set(reason, ids);
    ids.push(oneLine(id));
  }
  return [...idsOfReason].flatMap(([reason, ids]) => {
    const more = ids.length > maxShown ? ` and ${ids.length - maxShown} more` : '';
    const [first = '', ...rest] = wrapped(
      `  cancelled: ${reason}: ${ids.slice(0, maxShown).join(', ')}${more}`,
      columns,
    );
    return [first.replace('cancelled', paint.warn('cancelled')), ...rest];
  });
}
