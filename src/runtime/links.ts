import type { BusLinkInput } from '../actors/bus-link.ts';
import type { MemberStart } from '../actors/member-restarts.ts';
import type { Parts } from './parts.ts';

/** Lasting members of a collection of the tree, such as the buses that the process follows; told again when it was restarted. */
export class Links {
  private readonly parts: Parts;
  private readonly part: string;
  private readonly members = new Map<string, MemberStart>();

  /** @param part name of the collection */
  constructor(parts: Parts, part = 'links') {
    this.parts = parts;
    this.part = part;
    parts.onStarted(part, (links) => {
      for (const member of this.members.values()) links.send(member);
    });
  }

  add(input: BusLinkInput): void {
    this.hold(startOf(input));
  }

  /** Something else that lasts as long as the process. */
  hold(member: MemberStart): void {
    this.members.set(member.id, member);
    this.parts.find(this.part)?.send(member);
  }

  /** It is over, and not begun again. */
  drop(id: string): void {
    this.members.delete(id);
    this.parts.find(this.part)?.send({ type: 'child.stop', id });
  }
}

function startOf(input: BusLinkInput): MemberStart {
  return { type: 'child.start', id: input.name, src: 'bus_link', input };
}
