import type { CollectionEvent, CollectionSnapshot } from '../actors/collection.ts';
import { TroupeError, errorInfo } from '../core/errors.ts';
import type { CollectionRef } from '../supervisors/run/core.ts';
import type { RunInput } from '../supervisors/run/run.ts';
import type { Parts } from './parts.ts';

/** Runs that may wait to be started while the tree is being restarted; one more is refused. */
export const maxWaitingRuns = 1_000;

type Start = Extract<CollectionEvent, { type: 'child.start' }>;

/**
 * Where runs are started. While their part of the tree is being restarted they wait; once restarts are over for
 * good they are refused, as is what waits then.
 */
export class RunDoor implements CollectionRef {
  private readonly parts: Parts;
  private waiting: Start[] = [];
  private lost: unknown;

  constructor(parts: Parts) {
    this.parts = parts;
    parts.onStarted('runs', (runs) => {
      const starts = this.waiting;
      this.waiting = [];
      for (const start of starts) runs.send(start);
    });
  }

  send(event: CollectionEvent): void {
    const runs = this.parts.find('runs');
    const { value } = (runs?.getSnapshot() ?? {}) as Partial<CollectionSnapshot>;
    if (event.type !== 'child.start' || value === 'open') runs?.send(event);
    else if (this.lost !== undefined) refuse(event, this.lost);
    else if (this.waiting.length < maxWaitingRuns) this.waiting.push(event);
    else refuse(event, tooMany());
  }

  getSnapshot(): ReturnType<CollectionRef['getSnapshot']> {
    return this.parts.collection('runs').getSnapshot();
  }

  /** Nothing is started here any more. */
  close(error: unknown): void {
    this.lost = error;
    for (const start of this.waiting) refuse(start, error);
    this.waiting = [];
  }
}

function refuse({ input }: Start, error: unknown): void {
  (input as RunInput).onFault(errorInfo(error));
}

function tooMany(): TroupeError {
  return new TroupeError(
    'TRP_INTERNAL',
    `${maxWaitingRuns} runs wait already for this process to be restarted.`,
    { errorClass: 'transient', hint: 'Resume the run later.' },
  );
}
