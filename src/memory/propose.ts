import { TroupeError } from '../core/errors.ts';
import { canonicalJson } from '../core/canonical.ts';
import type { Plain } from '../core/plain.ts';
import type { MemoryChange, MemoryCommitted, RecordBody } from '../journal/record.ts';
import { mergeWrite } from '../results/merging.ts';
import type { KeyWrite } from '../results/merging.ts';
import type { MergerName } from '../workflow/model.ts';
import type { EntryVersion } from './entry.ts';
import type { RunMemory } from './run-memory.ts';

/** A changeset that a task proposes: several keys, visible together or not at all. */
export interface Proposal {
  readonly task: string;
  readonly agent: string;
  /** Operation id: proposing it again changes nothing. */
  readonly op: string;
  /** Revision of the view that the task worked from. */
  readonly base: number;
  /** 1..10, higher wins. */
  readonly priority: number;
  /** Keys are fully qualified. A key that stands twice has its last value. */
  readonly changes: readonly MemoryChange[];
}

/** Who may write what, and how concurrent writes combine; see ownershipOf. */
export interface MemoryRules {
  /** The agent that owns a key; undefined: nobody declared it. */
  ownerOf(key: string): string | undefined;
  allowed(agent: string, task: string, key: string): boolean;
  mergerOf(key: string): MergerName;
}

/** What becomes of a proposal: records to append together, in this order, or a refusal. */
export type CommitDecision =
  | { readonly records: readonly RecordBody[] }
  | { readonly refused: TroupeError };

type ConflictRecord = Extract<RecordBody, { type: 'conflict.recorded' }>;

/** What one key ends with. */
interface KeyDecision {
  readonly change: MemoryChange;
  readonly conflict?: ConflictRecord;
}

/**
 * Decides a proposal against the memory as it stands; changes nothing. A write whose base includes the
 * key's entry replaces it; a concurrent one is merged by the key's rule, and every conflict is recorded.
 * An operation that is in already gives no records.
 * Refusals: TRP_MEMORY_NOT_OWNER, TRP_MEMORY_REJECTED; either refuses the whole changeset.
 */
export function decideCommit(memory: RunMemory, proposal: Proposal, rules: MemoryRules): CommitDecision {
  if (memory.hasApplied(proposal.op) || proposal.changes.length === 0) return { records: [] };
  const changes = lastPerKey(proposal.changes);
  for (const { key } of changes) {
    if (!rules.allowed(proposal.agent, proposal.task, key)) return { refused: notOwner(proposal, key, rules) };
  }
  const decided: KeyDecision[] = [];
  for (const change of changes) {
    const decision = decideKey(memory, { proposal, change, rule: rules.mergerOf(change.key) });
    if (decision instanceof TroupeError) return { refused: decision };
    decided.push(decision);
  }
  return { records: recordsOf(proposal, decided) };
}

interface KeyQuestion {
  readonly proposal: Proposal;
  readonly change: MemoryChange;
  readonly rule: MergerName;
}

function decideKey(memory: RunMemory, question: KeyQuestion): KeyDecision | TroupeError {
  const { proposal, change, rule } = question;
  const theirs = memory.lastWrite(change.key);
  if (!theirs || theirs.revision <= proposal.base) return { change };
  if (rule === 'reject') {
    return sameValue(theirs.value, valueOf(change)) ? { change } : rejected(proposal, change.key, theirs);
  }
  const base = memory.writeAt(change.key, proposal.base)?.value;
  return mergeKey(question, theirs, base);
}

function mergeKey(question: KeyQuestion, theirs: EntryVersion, base: Plain | undefined): KeyDecision {
  const { proposal, change, rule } = question;
  const { agent, op, priority } = proposal;
  const mine: KeyWrite = { value: valueOf(change), agent, op, priority };
  const answer = mergeWrite({ rule, base, theirs: { ...theirs.writer, value: theirs.value }, mine });
  const merged = changeOf(change.key, answer.value);
  if (!answer.conflict) return { change: merged };
  const conflict = {
    type: 'conflict.recorded',
    key: change.key,
    rule,
    base: proposal.base,
    theirs: { agent: theirs.writer.agent, revision: theirs.revision },
    mine: { agent, task: proposal.task },
    dropped: answer.dropped,
  } as const;
  return { change: merged, conflict };
}

function recordsOf(proposal: Proposal, decided: readonly KeyDecision[]): readonly RecordBody[] {
  const { task, agent, op, base, priority } = proposal;
  const changes = decided.map((decision) => decision.change);
  const committed: MemoryCommitted = { type: 'memory.committed', task, agent, op, base, priority, changes };
  return [committed, ...decided.flatMap((decision) => decision.conflict ?? [])];
}

/** In the order in which the keys were first written. */
function lastPerKey(changes: readonly MemoryChange[]): readonly MemoryChange[] {
  return [...new Map(changes.map((change) => [change.key, change])).values()];
}

function valueOf(change: MemoryChange): Plain | undefined {
  return 'deleted' in change ? undefined : change.value;
}

function changeOf(key: string, value: Plain | undefined): MemoryChange {
  return value === undefined ? { key, deleted: true } : { key, value };
}

function sameValue(left: Plain | undefined, right: Plain | undefined): boolean {
  if (left === right) return true;
  if (left === undefined || right === undefined) return false;
  return canonicalJson(left) === canonicalJson(right);
}

function notOwner(proposal: Proposal, key: string, rules: MemoryRules): TroupeError {
  const owner = rules.ownerOf(key);
  const belongs = owner === undefined ? 'nobody declared it' : `it belongs to ${owner}`;
  const message = `Task ${proposal.task} (agent ${proposal.agent}) wrote ${key}, but ${belongs}.`;
  return new TroupeError('TRP_MEMORY_NOT_OWNER', message, { place: `task ${proposal.task}` });
}

function rejected(proposal: Proposal, key: string, theirs: EntryVersion): TroupeError {
  const message =
    `Task ${proposal.task} wrote ${key} from revision ${proposal.base}, ` +
    `but ${theirs.writer.task} (agent ${theirs.writer.agent}) wrote it at revision ${theirs.revision}.`;
  return new TroupeError('TRP_MEMORY_REJECTED', message, { place: `task ${proposal.task}` });
}
