import type { Chart, ChartState, ChartTransition } from '../../actors/chart.ts';

/** A transition in one line, as UML writes it: `event [guard] / action, action`. */
export function transitionLabel({ actions, event, guard, reenter }: ChartTransition): string {
  const parts = [event === '' ? 'always' : eventText(event)];
  if (guard !== '') parts.push(`[${guard}]`);
  if (actions.length > 0) parts.push(`/ ${actions.join(', ')}`);
  if (reenter) parts.push('(reenters)');
  return parts.join(' ');
}

/** What stands in a state rather than on an arrow: invoked actors, entry and exit actions, and events that move nothing. */
export function stateNotes(state: ChartState, chart: Chart): readonly string[] {
  const stays = chart.transitions.filter(({ from, to }) => from === state.id && to.length === 0);
  return [
    ...state.invokes.map(({ src }) => `invokes ${src}`),
    ...state.entry.map((name) => `entry / ${name}`),
    ...state.exit.map((name) => `exit / ${name}`),
    ...stays.map(transitionLabel),
  ];
}

/** Transitions from a state to states inside it, in one line each: neither format can draw an arrow out of a box into itself. */
export function inwardNotes(state: ChartState, chart: Chart): readonly string[] {
  const inward = chart.transitions.filter(
    ({ from, to }) => from === state.id && to.some((target) => isInside(target, from, chart)),
  );
  return inward.map(
    (transition) =>
      `${transitionLabel(transition)} → ${transition.to.map((target) => keyOf(target, chart)).join(', ')}`,
  );
}

/** Whether a state lies within another, at any depth. */
export function isInside(id: string, ancestor: string, chart: Chart): boolean {
  const parent = chart.states.find((state) => state.id === id)?.parent ?? null;
  return parent !== null && (parent === ancestor || isInside(parent, ancestor, chart));
}

function keyOf(id: string, chart: Chart): string {
  return chart.states.find((state) => state.id === id)?.key ?? id;
}

/** XState's own events in words. */
function eventText(event: string): string {
  const [, kind = '', rest = ''] =
    /^xstate\.(after|done\.actor|done\.state|error\.actor)\.(.+)$/.exec(event) ?? [];
  if (kind === '') return event === '*' ? 'any event' : event;
  return `${kind.replace('.', ' of ')} ${kind === 'after' ? (rest.split('.')[0] ?? rest) : rest}`;
}
