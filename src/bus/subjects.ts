import { checkSubject, escapeToken, unescapeToken } from './subject-grammar.ts';

/** First tokens of every subject: the product and the version of this table. */
const prefix = 'troupe.v1';

/** What each kind of subject carries. The table in the documentation is generated from this one. */
export const subjectKinds = {
  live: 'Progress, last value only: <run>[.<task>]. Lossy, never journaled.',
  hb: 'Heartbeats: <node>.',
  ctl: 'Control requests: <node> or <run>.',
  work: 'Work for a pool: <pool>.<level>, levels p0 (priority 9-10) to p3 (1-3).',
  res: 'Results of work: <run>.<task>.',
  jrn: 'Journal of a run: <run>.',
  mem: 'New memory entries: <run>.<key>, one token per part of the key.',
  cfl: 'Conflicts: <run>.',
  esc: 'Escalations: <run>.',
  alert: 'Alerts.',
  dlq: 'Dead letters: <pool>.',
} as const;

/** The token after the namespace. */
export type SubjectKind = keyof typeof subjectKinds;

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

/** Progress of a run, or of one of its tasks. */
export function liveSubject(ns: string, run: string, task?: string): string {
  return task === undefined ? subjectOf(ns, 'live', run) : subjectOf(ns, 'live', run, task);
}

/** Where a node, or the owner of a run, takes control requests. */
export function ctlSubject(ns: string, target: string): string {
  return subjectOf(ns, 'ctl', target);
}

/** New entries of a memory key: the key's dots part tokens, so `mem.<run>.parallel.>` is a subscription. */
export function memorySubject(ns: string, run: string, key: string): string {
  return subjectOf(ns, 'mem', run, ...key.split('.'));
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
