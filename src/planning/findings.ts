import { apartGroups } from './apart-groups.ts';
import { findFileConflicts } from './file-conflicts.ts';
import type { Finding, Planned } from './finding.ts';
import { lateTasks } from './late.ts';
import { needlessWaits } from './needless.ts';
import { unannouncedReads } from './unannounced.ts';

/** Findings of one kind that are told. */
const maxEach = 50;

/** Everything worth a second look, certain things first. */
export function findingsIn(planned: Planned): Finding[] {
  const found = [
    lateTasks,
    apartGroups,
    findFileConflicts,
    unannouncedReads,
    needlessWaits,
  ].flatMap((look) => look(planned).slice(0, maxEach));
  return [...found.filter(({ certain }) => certain), ...found.filter(({ certain }) => !certain)];
}
