/** A span of time that is not known exactly, in milliseconds. A single duration is a range of one point. */
export interface DurationRange {
  /** What plans use: the middle. */
  readonly midMs: number;
  /** The pessimistic bound. */
  readonly highMs: number;
}

const unitMs: ReadonlyMap<string, number> = new Map(
  Object.entries({
    ms: 1,
    millisecond: 1,
    milliseconds: 1,
    s: 1000,
    sec: 1000,
    second: 1000,
    seconds: 1000,
    m: 60_000,
    min: 60_000,
    minute: 60_000,
    minutes: 60_000,
    h: 3_600_000,
    hour: 3_600_000,
    hours: 3_600_000,
    d: 86_400_000,
    day: 86_400_000,
    days: 86_400_000,
  }),
);

/** Longer texts are no durations; keeps matching cheap on hostile input. */
const maxTextLength = 64;

/**
 * Milliseconds of `250ms`, `5s`, `10m`, `1h30m`, `10_minutes`, `2 days`, or of a number, which is
 * milliseconds already. Undefined when it is none of these, negative or not finite.
 */
export function parseDuration(value: string | number): number | undefined {
  if (typeof value === 'number') return validMs(value);
  if (value.length > maxTextLength) return undefined;
  const part = /(\d+(?:\.\d+)?)[ _]?([a-z]+)[ _]?/y;
  const text = value.trim().toLowerCase();
  let totalMs = 0;
  while (part.lastIndex < text.length) {
    const match = part.exec(text);
    const unit = unitMs.get(match?.[2] ?? '');
    if (!match || unit === undefined) return undefined;
    totalMs += Number(match[1]) * unit;
  }
  return text === '' ? undefined : validMs(Math.round(totalMs));
}

/**
 * A range such as `3-5_minutes`, `3m-5m` or `90s-2m`; a plain duration is a range of one point. Undefined
 * when malformed or when the upper end lies below the lower.
 */
export function parseDurationRange(value: string | number): DurationRange | undefined {
  const single = parseDuration(value);
  if (single !== undefined) return { midMs: single, highMs: single };
  if (typeof value === 'number' || value.length > maxTextLength) return undefined;
  const [low = '', high = '', ...rest] = value.split('-').map((end) => end.trim());
  const highMs = parseDuration(high);
  if (rest.length > 0 || highMs === undefined) return undefined;
  const lowMs = /^\d+(\.\d+)?$/.test(low)
    ? parseDuration(low + high.replace(/^[\d.]+/, ''))
    : parseDuration(low);
  if (lowMs === undefined || lowMs > highMs) return undefined;
  return { midMs: Math.round((lowMs + highMs) / 2), highMs };
}

/** The shortest exact spelling that {@link parseDuration} reads back: `1h30m`, `250ms`, `0ms`. */
export function formatDuration(durationMs: number): string {
  let restMs = Math.max(0, Math.round(durationMs));
  let text = '';
  for (const [unit, sizeMs] of [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1000],
    ['ms', 1],
  ] as const) {
    const count = Math.floor(restMs / sizeMs);
    restMs -= count * sizeMs;
    if (count > 0) text += `${count}${unit}`;
  }
  return text === '' ? '0ms' : text;
}

function validMs(durationMs: number): number | undefined {
  return durationMs >= 0 && durationMs <= Number.MAX_SAFE_INTEGER ? durationMs : undefined;
}
