import type { CollectionEvent } from '../actors/collection.ts';
import type { AnyActorRef } from '../actors/xstate.ts';
import { TroupeError } from '../core/errors.ts';
import type { CollectionRef, Mailbox } from '../supervisors/run/core.ts';

/** A member of a collection, by how it is started. */
export interface MemberSpec {
  readonly id: string;
  readonly src: string;
  readonly input: unknown;
}

/**
 * The parts of the supervision tree by name, as they stand now: a part that was restarted is another actor, and
 * whoever holds a mailbox from here need not know.
 *
 * Invariant: what is sent to a part that is down is dropped, unless somebody tells it again in `onStarted`.
 */
export class Parts {
  private readonly living = new Map<string, AnyActorRef>();
  private readonly listeners = new Map<string, (part: AnyActorRef) => void>();

  started(id: string, part: AnyActorRef): void {
    this.living.set(id, part);
    this.listeners.get(id)?.(part);
  }

  gone(id: string): void {
    this.living.delete(id);
  }

  /** Calls the listener whenever the part is started from now on, before it takes its first event. */
  onStarted(id: string, listener: (part: AnyActorRef) => void): void {
    this.listeners.set(id, listener);
  }

  /** The part, or undefined while it is down. */
  find(id: string): AnyActorRef | undefined {
    return this.living.get(id);
  }

  /** @throws TroupeError TRP_INTERNAL while the part is down: the run that needs it is to be resumed. */
  get(id: string): AnyActorRef {
    const part = this.living.get(id);
    if (part) return part;
    throw new TroupeError('TRP_INTERNAL', `The ${id} of this process are being restarted.`, {
      place: id,
      errorClass: 'transient',
      hint: 'Resume the run.',
    });
  }

  /** Where events for the part go, whichever actor it is at the time. */
  mailbox<Event>(id: string): Mailbox<Event> & { getSnapshot(): unknown } {
    return {
      send: (event) => this.living.get(id)?.send(event as never),
      getSnapshot: () => this.get(id).getSnapshot(),
    };
  }

  collection(id: string): CollectionRef {
    return {
      send: (event: CollectionEvent) => this.living.get(id)?.send(event),
      getSnapshot: () => this.get(id).getSnapshot() as ReturnType<CollectionRef['getSnapshot']>,
    };
  }

  /** As {@link Parts.member}, for whoever keeps it: each event goes to the member that lives then. */
  lasting<Event>(collection: string, spec: MemberSpec): Mailbox<Event> {
    this.member(collection, spec);
    return {
      send: (event) => {
        if (this.living.has(collection)) this.member(collection, spec).send(event as never);
      },
    };
  }

  /** A member of a collection, started when first asked for. */
  member(collection: string, { id, src, input }: MemberSpec): Mailbox<never> {
    const owner = this.collection(collection);
    const known = owner.getSnapshot().children.get(id);
    if (known) return known;
    owner.send({ type: 'child.start', id, src, input });
    const started = owner.getSnapshot().children.get(id);
    if (!started) throw new Error(`${src} "${id}" did not start`);
    return started;
  }
}
