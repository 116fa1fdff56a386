/** Names longer than this are not compared: nobody mistypes them, and a hostile document pays nothing for them. */
const maxNameLength = 64;

/**
 * Optimal string alignment distance (Damerau-Levenshtein with adjacent swaps): insertions, deletions,
 * substitutions and swaps of neighbours that turn `a` into `b`. Takes |a| x |b| steps.
 */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      let cost = Math.min(
        at(last, column) + 1,
        at(current, column - 1) + 1,
        at(last, column - 1) + (same ? 0 : 1),
      );
      const swapped = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (swapped && row > 1 && column > 1) cost = Math.min(cost, at(beforeLast, column - 2) + 1);
      current.push(cost);
    }
    beforeLast = last;
    last = current;
  }
  return at(last, b.length);
}

/** The candidate that was probably meant: at most a third of its letters differ, case aside. Undefined: none is near. */
export function nearestName(name: string, candidates: Iterable<string>): string | undefined {
  if (name.length > maxNameLength) return undefined;
  let nearest: string | undefined;
  let nearestDistance = Infinity;
  for (const candidate of candidates) {
    const limit = Math.min(
      nearestDistance - 1,
      Math.ceil(Math.max(candidate.length, name.length) / 3),
    );
    if (candidate.length > maxNameLength || Math.abs(candidate.length - name.length) > limit)
      continue;
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance > limit) continue;
    nearest = candidate;
    nearestDistance = distance;
  }
  return nearest;
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Infinity;
}
