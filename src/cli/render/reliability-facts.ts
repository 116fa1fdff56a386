import type { RunReport } from '../../runtime/report.ts';
import { counted } from './shapes.ts';
import { oneLine } from './width.ts';

/** Lines about breakers that did something or are open, about hedges, and about who is not healthy. */
export function reliabilityFacts(reliability: RunReport['reliability']): readonly string[] {
  const { breakers = {}, hedges, health = {} } = reliability ?? {};
  const lines = Object.entries(breakers).map(([name, breaker]) => {
    const { state, waited, redistributed, failed } = breaker;
    const parts = [
      ...(state === null || state === 'closed' ? [] : [state.replace('_', ' ')]),
      ...(waited > 0 ? [`${counted(waited, 'task')} waited`] : []),
      ...(redistributed > 0 ? [`${counted(redistributed, 'task')} went to another agent`] : []),
      ...(failed > 0 ? [`${counted(failed, 'task')} failed`] : []),
    ];
    return parts.length === 0 ? '' : `breaker ${oneLine(name)}: ${parts.join(', ')}`;
  });
  const sick = Object.entries(health)
    .filter(([, { state }]) => state !== 'healthy')
    .map(([of, { state }]) => `${oneLine(of)} is ${state}`);
  const raced = hedges
    ? [
        `${counted(hedges.started, 'hedge')}: ${hedges.won} won, ${hedges.lost} lost, ${hedges.failed} failed`,
      ]
    : [];
  return [...lines.filter((line) => line !== ''), ...raced, ...sick];
}
