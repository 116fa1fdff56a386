import { parseDuration } from '../core/duration.ts';
import { TroupeError } from '../core/errors.ts';

/** Collects an option that may be given several times. */
export function collect(text: string, earlier: readonly string[] = []): readonly string[] {
  return [...earlier, text];
}

/** A whole number of at least `least`, for `option`. */
export function wholeNumber(option: string, least: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (Number.isSafeInteger(value) && value >= least) return value;
    throw invalid(option, text, `a whole number of at least ${least}`);
  };
}

/** One word, or what another parser makes of the text. */
export function orWord<Word extends string, Value>(
  word: Word,
  parse: (text: string) => Value,
): (text: string) => Word | Value {
  return (text) => (text === word ? word : parse(text));
}

/** Milliseconds of a duration such as `90s` or `1h30m`, for `option`. */
export function duration(option: string): (text: string) => number {
  return (text) => {
    const value = parseDuration(/^\d+$/.test(text) ? Number(text) : text);
    if (value !== undefined && value > 0) return value;
    throw invalid(option, text, 'a duration such as 90s, 10m or 1h30m');
  };
}

/** One word of a list, for `option`. */
export function oneOf<Word extends string>(
  option: string,
  words: readonly Word[],
): (text: string) => Word {
  return (text) => {
    const found = words.find((word) => word === text);
    if (found !== undefined) return found;
    throw invalid(option, text, words.join(', '));
  };
}

function invalid(option: string, text: string, expected: string): TroupeError {
  return new TroupeError(
    'TRP_OPTION_INVALID',
    `${option} is ${JSON.stringify(text)}; expected ${expected}`,
  );
}
