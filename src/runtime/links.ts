import type { BusLinkInput } from '../actors/bus-link.ts';
import type { MemberStart } from '../actors/member-restarts.ts';
import type { Parts } from './parts.ts';

/** The buses that the process follows; told again when the links of the tree were restarted. */
export class Links {
  private readonly parts: Parts;
  private readonly members = new Map<string, MemberStart>();

  constructor(parts: Parts) {
    this.parts = parts;
    parts.onStarted('links', (links) => {
      for (const member of this.members.values()) links.send(member);
    });
  }

  add(input: BusLinkInput): void {
    this.hold(startOf(input));
  }

  /** Something else that the process holds to the outside. */
  hold(member: MemberStart): void {
    this.members.set(member.id, member);
    this.parts.find('links')?.send(member);
  }
}

function startOf(input: BusLinkInput): MemberStart {
  return { type: 'child.start', id: input.name, src: 'bus_link', input };
}
