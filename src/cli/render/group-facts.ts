import type { GroupReport } from '../../runtime/report.ts';
import { counted } from './shapes.ts';
import { oneLine } from './width.ts';

/** Groups that a summary tells of; the rest is counted. */
const maxGroups = 8;

/** Where groups stand that have not ended, and what has been merged into others after their end. */
export function groupFacts(groups: readonly GroupReport[]): readonly string[] {
  const told = groups.filter(({ outcome, late }) => outcome === 'running' || late.length > 0);
  const facts = told.slice(0, maxGroups).map(factOf);
  const more = told.length - maxGroups;
  return more > 0 ? [...facts, `and ${counted(more, 'more group')}`] : facts;
}

function factOf({ id, phase, merged, late }: GroupReport): string {
  const revision = merged && merged.revision > 0 ? `, revision ${merged.revision}` : '';
  const after = late.length > 0 ? `, ${counted(late.length, 'late result')} merged` : '';
  return `group ${oneLine(id)}: ${phase}${revision}${after}`;
}
