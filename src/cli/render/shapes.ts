import { fit, pad, widthOf } from './width.ts';

/** A bar of `columns` characters, `share` (0..1) of them filled; a start shows, and only the end fills it. */
export function bar(share: number, columns: number): string {
  const bounded = Math.min(1, Math.max(0, Number.isFinite(share) ? share : 0));
  const rounded = Math.round(bounded * columns);
  const filled =
    bounded === 1 ? columns : Math.min(Math.max(rounded, bounded > 0 ? 1 : 0), columns - 1);
  return '█'.repeat(Math.max(0, filled)) + '░'.repeat(Math.max(0, columns - filled));
}

/** A span of time for people: `0.4s`, `12.3s`, `3m 05s`, `2h 07m`, `4d 02h`. */
export function elapsed(durationMs: number): string {
  const seconds = Math.max(0, durationMs) / 1000;
  if (seconds < 59.95) return `${seconds.toFixed(1)}s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)}m ${twoDigits(whole % 60)}s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)}h ${twoDigits(minutes % 60)}m`;
  const hours = Math.floor(minutes / 60);
  return `${Math.floor(hours / 24)}d ${twoDigits(hours % 24)}h`;
}

/** Rows in columns that are as wide as they need to be; the first row is the heading. No space ends a line. */
export function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries())
      widths[column] = Math.max(widths[column] ?? 0, widthOf(cell));
  }
  return rows.map((row) =>
    row
      .map((cell, column) => pad(cell, widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/**
 * As {@link table}, without the columns named in `spare`, one after the other, until the rows fit; if they still
 * do not, the first column is cut.
 */
export function narrowTable(
  rows: readonly (readonly string[])[],
  columns: number,
  spare: readonly string[],
): readonly string[] {
  const drawn = table(rows);
  const over = Math.max(...drawn.map(widthOf)) - columns;
  if (over <= 0) return drawn;
  const [next, ...others] = spare;
  if (next !== undefined) {
    const dropped = rows[0]?.indexOf(next);
    return narrowTable(
      rows.map((row) => row.filter((_cell, index) => index !== dropped)),
      columns,
      others,
    );
  }
  const first = Math.max(...rows.map(([cell = '']) => widthOf(cell)));
  const cut = Math.max(4, first - over);
  return table(rows.map(([cell = '', ...rest]) => [fit(cell, cut), ...rest]));
}

/** `16 tasks`, `16 tasks (28 with their parts)`. */
export function countedTasks(ids: readonly string[]): string {
  const declared = counted(ids.filter((id) => !isPart(id)).length, 'task');
  return ids.some(isPart) ? `${declared} (${ids.length} with their parts)` : declared;
}

/** Whether an id is that of a member of an expanded task, or of what joins the members' results. */
export function isPart(id: string): boolean {
  return /.\[[^\]]*\]$|.@aggregate$/.test(id);
}

/** `1 task`, `2 tasks`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}
