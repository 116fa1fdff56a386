import type { RunEvent } from '../../runtime/api.ts';

/** Something that shows a run's progress while it lasts. */
export interface ProgressView {
  /** Called once per event, after the tally has taken it in. */
  show(event: RunEvent): void;
  /** Says something to the person who waits. */
  note(text: string): void;
  /** Leaves the screen as it should stay. Nothing is written after it. */
  stop(): void;
  /** Says a last thing in the place of all that was shown. Nothing is written after it. */
  leave(text: string): void;
}

/** Shows nothing but what must be said. */
export function quietView(write: (text: string) => void): ProgressView {
  const note = (text: string): void => write(`${text}\n`);
  return { show: () => undefined, note, stop: () => undefined, leave: note };
}
