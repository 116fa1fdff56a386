import { TroupeError } from '../../core/errors.ts';
import type { Plain } from '../../core/plain.ts';
import type { MemoryChange } from '../../journal/record.ts';
import type { Proposal } from '../propose.ts';

/** Characters that a key may have. */
const maxKeyLength = 4_096;

/** Tokens between dots, as in workflows: what `*` and `>` stand for are patterns. */
const keyForm = /^[^\s.*>]+(?:\.[^\s.*>]+)*$/;

/** Characters that names may have: of agents, tasks and operations. Operation ids are kept for as long as the memory. */
const maxNameLength = 1_024;

/**
 * A proposal as it came from anywhere, with nothing in it but what belongs there.
 * @param place where it was made, when that is known.
 * @throws TroupeError TRP_CONTROL_REQUEST that says what is wrong.
 */
export function checkedProposal(given: Plain, place?: string): Proposal {
  const fault = faultIn(given);
  if (fault !== undefined) throw malformed(fault, place);
  const { task, agent, op, base, priority, changes } = given as unknown as Proposal;
  return { task, agent, op, base, priority, changes: changes.map(changeOf) };
}

/** The error of a request of another form than it must have. */
export function malformed(what: string, place?: string): TroupeError {
  const message = `A request to a memory is malformed${what === '' ? '' : `: ${what}`}.`;
  const hint =
    'Mend what is named; docs/memory.md has the options of propose and the form of keys.';
  return new TroupeError('TRP_CONTROL_REQUEST', message, {
    hint,
    ...(place === undefined ? {} : { place }),
  });
}

/** What is wrong with a proposal; undefined: nothing. */
function faultIn(proposal: Plain): string | undefined {
  const { base, priority, changes } = (proposal ?? {}) as Partial<Proposal>;
  if (!Number.isSafeInteger(base) || (base as number) < 0)
    return `its base is ${shown(base)}; it must be a revision, a whole number from 0`;
  if (typeof priority !== 'number' || !(priority >= 1 && priority <= 10))
    return `its priority is ${shown(priority)}; it must be a number from 1 to 10`;
  if (!Array.isArray(changes)) return 'it has no changes';
  for (const change of changes as readonly unknown[]) {
    const fault = faultInChange(change);
    if (fault !== undefined) return fault;
  }
  return faultInNames(proposal);
}

function faultInNames(proposal: Plain): string | undefined {
  const { task, agent, op } = proposal as unknown as Proposal;
  for (const [name, value] of Object.entries({ task, agent, op })) {
    if (typeof value !== 'string') return `no ${name}`;
    if (value.length > maxNameLength) return `${name} has more than ${maxNameLength} characters`;
  }
  return op === '' ? 'an empty op' : undefined;
}

function faultInChange(change: unknown): string | undefined {
  const { key, value, deleted } = (change ?? {}) as { key?: Plain; value?: Plain; deleted?: Plain };
  if (typeof key !== 'string') return 'a change has no key';
  if (key.length > maxKeyLength)
    return `the key ${shown(key)} has more than ${maxKeyLength} characters`;
  if (!keyForm.test(key))
    return `the key ${shown(key)} is none; keys are parts with dots between, without spaces, * and >`;
  const isWhole = value === undefined ? deleted === true : deleted === undefined;
  return isWhole ? undefined : `the change of ${shown(key)} needs either a value or deleted: true`;
}

/** What was given, as far as a message has room for it. */
function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'missing';
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

/** Others look at whether `deleted` is there, not at what it says. */
function changeOf(change: MemoryChange): MemoryChange {
  const { key } = change;
  return 'deleted' in change ? { key, deleted: true } : { key, value: change.value };
}
