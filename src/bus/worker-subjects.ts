import { subjectOf } from './subject-parts.ts';

/** Where the owner of a run hears of its attempts on worker hosts. */
export function attemptSubject(ns: string, run: string): string {
  return subjectOf(ns, 'att', run);
}

/** Signs of life of a node. */
export function heartbeatSubject(ns: string, node: string): string {
  return subjectOf(ns, 'hb', node);
}
