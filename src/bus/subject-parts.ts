import { checkSubject, escapeToken, unescapeToken } from './subject-grammar.ts';
import { subjectKinds } from './subject-table.ts';
import type { SubjectKind } from './subject-table.ts';

/** First tokens of every subject: the product and the version of the table of kinds. */
const prefix = 'troupe.v1';

/** A subject taken apart, its tokens unescaped. */
export interface ParsedSubject {
  readonly ns: string;
  readonly kind: SubjectKind;
  readonly parts: readonly string[];
}

/** Any subject of this table: parts are escaped, so task ids and keys may hold any character. */
export function subjectOf(ns: string, kind: SubjectKind, ...parts: readonly string[]): string {
  const subject = [prefix, escapeToken(ns), kind, ...parts.map(escapeToken)].join('.');
  checkSubject(subject);
  return subject;
}

/** Takes a subject apart; undefined when it is none of this table. */
export function parseSubject(subject: string): ParsedSubject | undefined {
  if (!subject.startsWith(`${prefix}.`)) return undefined;
  const tokens = subject.slice(prefix.length + 1).split('.');
  const [ns, kind, ...parts] = tokens.map(unescapeToken);
  if (ns === undefined || kind === undefined || !isKind(kind) || !allText(parts)) return undefined;
  return { ns, kind, parts };
}

function isKind(text: string): text is SubjectKind {
  return Object.hasOwn(subjectKinds, text);
}

function allText(parts: readonly (string | undefined)[]): parts is readonly string[] {
  return parts.every((part) => part !== undefined);
}
