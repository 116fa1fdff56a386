import { TroupeError } from '../../core/errors.ts';
import type { Plain } from '../../core/plain.ts';
import type { MemoryChange } from '../../journal/record.ts';
import type { Proposal } from '../propose.ts';

/** Characters that a key may have. */
const maxKeyLength = 4_096;

/** Characters that names may have: of agents, tasks and operations. Operation ids are kept for as long as the memory. */
const maxNameLength = 1_024;

/**
 * A proposal as it came from anywhere, with nothing in it but what belongs there.
 * @throws TroupeError TRP_CONTROL_REQUEST that says what is wrong.
 */
export function checkedProposal(given: Plain): Proposal {
  const fault = faultIn(given);
  if (fault !== undefined) throw malformed(fault);
  const { task, agent, op, base, priority, changes } = given as unknown as Proposal;
  return { task, agent, op, base, priority, changes: changes.map(changeOf) };
}

/** The error of a request of another form than it must have. */
export function malformed(what: string): TroupeError {
  const message = `A request to a memory is malformed${what === '' ? '' : `: ${what}`}.`;
  return new TroupeError('TRP_CONTROL_REQUEST', message);
}

/** What is wrong with a proposal; undefined: nothing. */
function faultIn(proposal: Plain): string | undefined {
  const { base, priority, changes } = (proposal ?? {}) as Partial<Proposal>;
  if (!Number.isSafeInteger(base) || (base as number) < 0) return 'a base that is no revision';
  if (typeof priority !== 'number' || !(priority >= 1 && priority <= 10))
    return 'a priority outside 1..10';
  if (!Array.isArray(changes)) return 'no changes';
  return changes.every(isChange) ? faultInNames(proposal) : 'a malformed change';
}

function faultInNames(proposal: Plain): string | undefined {
  const { task, agent, op } = proposal as unknown as Proposal;
  for (const [name, value] of Object.entries({ task, agent, op })) {
    if (typeof value !== 'string') return `no ${name}`;
    if (value.length > maxNameLength) return `${name} has more than ${maxNameLength} characters`;
  }
  return op === '' ? 'an empty op' : undefined;
}

function isChange(change: unknown): change is MemoryChange {
  const { key, value, deleted } = (change ?? {}) as { key?: Plain; value?: Plain; deleted?: Plain };
  if (typeof key !== 'string' || key === '' || key.length > maxKeyLength) return false;
  return value === undefined ? deleted === true : deleted === undefined;
}

/** Others look at whether `deleted` is there, not at what it says. */
function changeOf(change: MemoryChange): MemoryChange {
  const { key } = change;
  return 'deleted' in change ? { key, deleted: true } : { key, value: change.value };
}
