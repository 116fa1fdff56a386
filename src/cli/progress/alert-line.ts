import type { AlertEvent } from '../../runtime/alert-event.ts';
import type { Painter } from '../render/painter.ts';
import { oneLine } from '../render/width.ts';

/** The line of a breaker, of somebody's health, or of a threshold that was passed. */
export function alertLine(event: AlertEvent, paint: Painter): { text: string; failure: boolean } {
  const isGood = ['closed', 'half_open', 'healthy', 'back'].includes(event.state);
  const colour = isGood ? paint.accent : paint.warn;
  const word = event.state.replace('_', ' ').padEnd(9);
  return {
    text: `${colour(word)}  ${oneLine(about(event))}: ${oneLine(event.why)}`,
    failure: !isGood,
  };
}

function about(event: AlertEvent): string {
  if (event.type === 'breaker.changed') return `breaker ${event.breaker}`;
  return event.type === 'health.changed' ? event.of : 'threshold';
}
