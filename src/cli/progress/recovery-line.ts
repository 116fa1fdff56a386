import type { RunEvent } from '../../runtime/api.ts';
import type { Painter } from '../render/painter.ts';
import { elapsed } from '../render/shapes.ts';
import { oneLine } from '../render/width.ts';

type EventOf<Type extends RunEvent['type']> = Extract<RunEvent, { readonly type: Type }>;

/** A failed attempt: who tries next, and when. */
export function retryText(event: EventOf<'attempt.failed'>, paint: Painter): string {
  const { task, next, at, retryAt } = event;
  const wait = retryAt > at ? ` in ${elapsed(retryAt - at)}` : '';
  if (!next) return `${paint.warn('retry    ')}  ${oneLine(task)}${wait}`;
  const agent = next.agent === undefined ? '' : ` to ${oneLine(next.agent)}`;
  const model = next.model === undefined ? '' : ` with model ${oneLine(next.model)}`;
  return `${paint.warn('handed   ')}  ${oneLine(task)}${agent}${model}${wait}`;
}

/** A question for a person, with the command that answers it; undefined: nobody is asked. */
export function questionText(
  { run, seq, task, choices, deadline, at, otherwise }: EventOf<'escalation.opened'>,
  paint: Painter,
): string | undefined {
  if (!choices) return undefined;
  const until =
    deadline === undefined ? '' : `; in ${elapsed(deadline - at)} ${oneLine(otherwise)}`;
  const words = choices.map((choice) => (choice === 'value' ? '--value JSON' : choice));
  const answer = `troupe answer ${oneLine(run)} ${seq} ${words.join('|')}`;
  return `${paint.warn('asks     ')}  ${oneLine(task)}: ${answer}${until}`;
}
