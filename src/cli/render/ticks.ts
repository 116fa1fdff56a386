const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** Steps that people count time in, in milliseconds. */
const steps = [
  1,
  2,
  5,
  10,
  20,
  50,
  100,
  200,
  500,
  ...[1, 2, 5, 10, 15, 30].map((count) => count * second),
  ...[1, 2, 5, 10, 15, 30].map((count) => count * minute),
  ...[1, 2, 3, 6, 12].map((count) => count * hour),
];

/** Round times from zero to the end, in milliseconds, with so many steps between them at most. */
export function roundTicks(endMs: number, most: number): number[] {
  const wanted = endMs / most;
  const step = steps.find((one) => one >= wanted) ?? daysFor(wanted);
  return Array.from({ length: Math.floor(endMs / step) + 1 }, (_, at) => at * step);
}

/** One, two or five days, or ten times that, and so on. */
function daysFor(wantedMs: number): number {
  const days = wantedMs / day;
  const tens = 10 ** Math.max(0, Math.floor(Math.log10(days)));
  const count = [1, 2, 5].find((one) => one * tens >= days) ?? 10;
  return count * tens * day;
}
