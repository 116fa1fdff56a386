const instantPattern =
  /^(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,3})\d*)?)?(?:(Z)|([+-])(\d{2}):?(\d{2}))$/i;

const dayMs = 86_400_000;

/**
 * Milliseconds of the Unix epoch of a date with time and zone, such as `2026-07-01T09:00:00Z` or
 * `2026-07-01T11:00+02:00` (RFC 3339). Undefined when it is none: a time without a zone means something else
 * on every machine, and is none either.
 */
export function parseInstant(text: string): number | undefined {
  const match = instantPattern.exec(text.trim());
  if (!match) return undefined;
  const [year, month, day, hour, minute, second] = match
    .slice(1, 7)
    .map((part) => Number(part ?? 0));
  const numbers = { year, month, day, hour, minute, second } as { readonly [name: string]: number };
  if (!isTime(numbers)) return undefined;
  const fractionMs = Number((match[7] ?? '').padEnd(3, '0'));
  const [zoneHours, zoneMinutes] = [Number(match[10] ?? 0), Number(match[11] ?? 0)];
  if (zoneHours > 23 || zoneMinutes > 59) return undefined;
  const aheadMs = (match[9] === '-' ? -1 : 1) * (zoneHours * 60 + zoneMinutes) * 60_000;
  return dayNumber(numbers) * dayMs + timeMs(numbers) + fractionMs - aheadMs;
}

type Numbers = { readonly [name: string]: number };

function isTime(numbers: Numbers): boolean {
  const { hour = 0, minute = 0, second = 0 } = numbers;
  return isDay(numbers) && hour < 24 && minute < 60 && second < 60;
}

function isDay({ year = 0, month = 0, day = 0 }: Numbers): boolean {
  return month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month);
}

function daysIn(year: number, month: number): number {
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  if (month === 2) return isLeap ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}

function timeMs({ hour = 0, minute = 0, second = 0 }: Numbers): number {
  return ((hour * 60 + minute) * 60 + second) * 1000;
}

/** Days from 1970-01-01 in the Gregorian calendar; the year is taken to begin in March, so that leap days end it. */
function dayNumber({ year = 0, month = 0, day = 0 }: Numbers): number {
  const shifted = month <= 2 ? year - 1 : year;
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1;
  const leaps = Math.floor(shifted / 4) - Math.floor(shifted / 100) + Math.floor(shifted / 400);
  return shifted * 365 + leaps + dayOfYear - 719_468;
}
