/**
 * Rows of one kind, written down place by place: of each place one value that most rows have, and those that differ.
 * Most places of most rows are alike, so that this is read several times as fast as row by row.
 */
export interface Columns {
  readonly ids: readonly string[];
  /** One per place, in the order of their names, which the reader knows. */
  readonly places: readonly Column[];
  /** What single rows have besides, by their number. */
  readonly others: readonly (readonly [row: number, places: Record<string, unknown>])[];
}

/** The value of the rows that are not named, and the others; or, where few are alike, one value for each row. */
type Column =
  | { readonly same: unknown; readonly at: readonly number[]; readonly values: readonly unknown[] }
  | { readonly each: readonly unknown[] };

interface Row {
  readonly id: string;
}

/** Rows as columns. All of them have all places that `keys` names. */
export function columnsOf(rows: readonly Row[], keys: readonly string[]): Columns {
  const known = new Set(keys);
  const others: [number, Record<string, unknown>][] = [];
  for (const [index, row] of rows.entries()) {
    const own = Object.keys(row);
    if (own.length === keys.length) continue;
    const more = own.filter((key) => !known.has(key)).map((key) => [key, placeOf(row, key)]);
    others.push([index, Object.fromEntries(more) as Record<string, unknown>]);
  }
  const places = keys.filter((key) => key !== 'id').map((key) => columnOf(rows, key));
  return { ids: rows.map(({ id }) => id), places, others };
}

/** The ids of rows, in their order. */
export function idsIn({ ids }: Columns): readonly string[] {
  return ids;
}

/** Fills rows that were made for the ids of the columns, in their order. */
export function refill(
  rows: readonly Row[],
  { places, others }: Columns,
  keys: readonly string[],
): void {
  const names = keys.filter((key) => key !== 'id');
  for (const [index, column] of places.entries()) fill(rows, names[index] ?? '', column);
  for (const [index, more] of others) Object.assign(rows[index] ?? {}, more);
}

function columnOf(rows: readonly Row[], key: string): Column {
  const same = placeOf(rows[0], key);
  const at: number[] = [];
  const values: unknown[] = [];
  const isAlike = same === null || typeof same !== 'object';
  const each = rows.map((row) => placeOf(row, key));
  for (let index = 0; index < each.length; index++) {
    if (isAlike && each[index] === same) continue;
    at.push(index);
    values.push(each[index]);
  }
  return values.length * 2 > each.length ? { each } : { same, at, values };
}

function fill(rows: readonly Row[], key: string, column: Column): void {
  if ('each' in column) {
    for (const [index, value] of column.each.entries()) put(rows[index], key, value);
    return;
  }
  // A fresh row has what most rows have in most places.
  if (placeOf(rows[0], key) !== column.same) for (const row of rows) put(row, key, column.same);
  for (const [index, row] of column.at.entries()) put(rows[row], key, column.values[index]);
}

function put(row: Row | undefined, key: string, value: unknown): void {
  if (row) (row as unknown as Record<string, unknown>)[key] = value;
}

function placeOf(row: Row | undefined, key: string): unknown {
  return (row as unknown as Record<string, unknown> | undefined)?.[key];
}
