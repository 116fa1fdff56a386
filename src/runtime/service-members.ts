import type { PatrolEvent, PatrolInput } from '../actors/patrol.ts';
import type { CollectionSnapshot } from '../actors/collection.ts';
import type { RunTakerEvent, RunTakerInput } from '../actors/run-taker.ts';
import type { Clock } from '../core/clock.ts';
import type { Deadlines } from '../core/deadlines.ts';
import { Links } from './links.ts';
import type { Parts } from './parts.ts';

/** How something that serves is begun; it gets the clock from here. */
export interface ServiceMember {
  readonly id: string;
  readonly src: 'run_taker' | 'patrol';
  readonly input:
    | Pick<RunTakerInput, 'port' | 'onStopped'>
    | Pick<PatrolInput, 'port' | 'onStopped'>;
}

/** What the process does for runs of others, in the part `service` of the tree. */
export class ServiceMembers {
  private readonly parts: Parts;
  private readonly time: { readonly clock: Clock; readonly deadlines: Deadlines };
  private readonly held: Links;

  constructor(parts: Parts, time: ServiceMembers['time']) {
    this.parts = parts;
    this.time = time;
    this.held = new Links(parts, 'service');
  }

  begin({ id, src, input }: ServiceMember): void {
    this.held.hold({ type: 'child.start', id, src, input: { ...input, ...this.time } });
  }

  /** False: it does not live at the moment. */
  tell(id: string, event: Extract<RunTakerEvent & PatrolEvent, { type: 'service.stop' }>): boolean {
    const part = this.parts.find('service')?.getSnapshot() as CollectionSnapshot | undefined;
    const member = part?.children.get(id);
    member?.send(event);
    return member !== undefined;
  }

  /** It is not begun again, whatever becomes of it. */
  drop(id: string): void {
    this.held.drop(id);
  }
}
