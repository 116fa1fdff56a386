import { TroupeError } from '../core/errors.ts';
import { tokensMatch } from '../core/key-pattern.ts';

/** Longest token and longest subject, in characters, escapes included. */
const maxTokenLength = 192;
const maxSubjectLength = 512;

/** Letters, digits, `-`, `_`, the escape sign `=`, and `$` for names that NATS reserves. */
const token = `[A-Za-z0-9_=$-]{1,${maxTokenLength}}`;
const subjectForm = new RegExp(`^${token}(?:\\.${token})*$`);
const patternForm = new RegExp(`^(?:(?:${token}|\\*)(?:\\.(?:${token}|\\*))*(?:\\.>)?|>)$`);
/** Keys of buckets: tokens without `$`, which no server takes in a key. */
const keyToken = `[A-Za-z0-9_=-]{1,${maxTokenLength}}`;
const keyForm = new RegExp(`^${keyToken}(?:\\.${keyToken})*$`);
const keyPatternForm = new RegExp(
  `^(?:(?:${keyToken}|\\*)(?:\\.(?:${keyToken}|\\*))*(?:\\.>)?|>)$`,
);
const queueForm = new RegExp(`^${token}$`);

/** Throws TRP_BUS_SUBJECT unless a message can be published on the subject: no empty token, no wildcard. */
export function checkSubject(subject: string): void {
  check(subject, subjectForm, 'subject');
}

/** Throws TRP_BUS_SUBJECT unless one can subscribe to the pattern: `*` and a last `>` are allowed. */
export function checkPattern(pattern: string): void {
  check(pattern, patternForm, 'pattern');
}

/** Throws TRP_BUS_SUBJECT unless the name is a single token. */
export function checkQueue(name: string): void {
  check(name, queueForm, 'queue group');
}

/** Throws TRP_BUS_SUBJECT unless a bucket can hold the key: a subject without `$`. */
export function checkKey(key: string): void {
  check(key, keyForm, 'key');
}

/** Throws TRP_BUS_SUBJECT unless it is a pattern of keys: `*` and a last `>` are allowed. */
export function checkKeyPattern(pattern: string): void {
  check(pattern, keyPatternForm, 'pattern of keys');
}

/** Whether a subject fits a NATS pattern: `*` is one token, a last `>` one or more. */
export function subjectMatches(pattern: string, subject: string): boolean {
  return tokensMatch(pattern.split('.'), subject.split('.'));
}

/**
 * Any text as one token: characters outside `[A-Za-z0-9_-]` become `=` and two hex digits per UTF-8 byte
 * (as in quoted-printable, RFC 2045), so that `task[0]` is `task=5B0=5D`. The empty text is `=`.
 */
export function escapeToken(text: string): string {
  if (text === '') return '=';
  return text.replace(/[^A-Za-z0-9_-]/gu, (char) => {
    let escaped = '';
    for (const byte of Buffer.from(char))
      escaped += `=${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    return escaped;
  });
}

/** The text that {@link escapeToken} was given; undefined when it cannot have made the token. */
export function unescapeToken(escaped: string): string | undefined {
  if (escaped === '=') return '';
  const bytes = escaped.replace(/=([0-9A-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  const text = Buffer.from(bytes, 'latin1').toString();
  return escapeToken(text) === escaped ? text : undefined;
}

function check(text: string, form: RegExp, what: string): void {
  if (text.length <= maxSubjectLength && form.test(text)) return;
  const shown = JSON.stringify(text.slice(0, 80));
  throw new TroupeError('TRP_BUS_SUBJECT', `${shown} is no valid ${what}.`, {
    hint: `Dot-separated tokens of letters, digits, - and _; at most ${maxSubjectLength} characters.`,
  });
}
