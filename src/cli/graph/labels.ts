import type { ChartTransition } from '../../actors/chart.ts';

/** A transition in one line, as UML writes it: `event [guard] / action, action`. */
export function transitionLabel({ actions, event, guard, reenter }: ChartTransition): string {
  const parts = [event === '' ? 'always' : eventText(event)];
  if (guard !== '') parts.push(`[${guard}]`);
  if (actions.length > 0) parts.push(`/ ${actions.join(', ')}`);
  if (reenter) parts.push('(reenters)');
  return parts.join(' ');
}

/** XState's own events in words. */
function eventText(event: string): string {
  const [, kind = '', rest = ''] = /^xstate\.(after|done\.actor|done\.state|error\.actor)\.(.+)$/.exec(event) ?? [];
  if (kind === '') return event === '*' ? 'any event' : event;
  return `${kind.replace('.', ' of ')} ${kind === 'after' ? rest.split('.')[0] ?? rest : rest}`;
}
