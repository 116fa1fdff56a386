import { TroupeError } from '../core/errors.ts';
import { canonicalJson } from '../core/canonical.ts';
import type { Plain } from '../core/plain.ts';
import type {
  ConflictRecorded,
  MemoryChange,
  MemoryCommitted,
  RecordBody,
} from '../journal/record.ts';
import type { MergerName } from '../workflow/model.ts';
import { joinCluster } from './concurrency.ts';
import type { Cluster, ProposedWrite } from './concurrency.ts';
import { valueOf } from './run-memory.ts';
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

/** What one key ends with. */
interface KeyDecision {
  readonly change: MemoryChange;
  /** Set when merging made something else of it. */
  readonly proposed?: MemoryChange;
  readonly conflicts: readonly ConflictRecorded[];
}

/**
 * Decides a proposal against the memory as it stands; changes nothing. A write whose base includes the
 * key's entry replaces it; a concurrent one is merged by the key's rule, and every conflict is recorded.
 * An operation that is in already gives no records.
 * Refusals: TRP_MEMORY_NOT_OWNER, TRP_MEMORY_REJECTED; either refuses the whole changeset.
 */
export function decideCommit(
  memory: RunMemory,
  proposal: Proposal,
  rules: MemoryRules,
): CommitDecision {
  if (memory.hasApplied(proposal.op) || proposal.changes.length === 0) return { records: [] };
  const changes = lastPerKey(proposal.changes);
  for (const { key } of changes) {
    if (!rules.allowed(proposal.agent, proposal.task, key))
      return { refused: notOwner(proposal, key, rules) };
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
  const entry = memory.entry(change.key);
  const cluster = entry?.concurrentWith(proposal.base);
  if (!entry || !cluster) return { change, conflicts: [] };
  const current = entry.latest?.value;
  if (rule === 'reject') {
    const same = sameValue(current, valueOf(change));
    return same ? { change, conflicts: [] } : rejected(proposal, change.key, cluster.strongest);
  }
  return mergeKey(question, cluster, current);
}

function mergeKey(
  question: KeyQuestion,
  cluster: Cluster,
  current: Plain | undefined,
): KeyDecision {
  const { proposal, change, rule } = question;
  const { agent, task, op, priority, base } = proposal;
  const mine = { value: valueOf(change), agent, task, op, priority, revision: 0 };
  const { value, collisions } = joinCluster(cluster, { rule, current, mine });
  const conflicts = collisions.map(({ theirs, dropped }): ConflictRecorded => ({
    type: 'conflict.recorded',
    key: change.key,
    rule,
    base,
    theirs: { agent: theirs.agent, revision: theirs.revision },
    mine: { agent, task },
    dropped,
  }));
  const merged = changeOf(change.key, value);
  return sameValue(value, mine.value)
    ? { change: merged, conflicts }
    : { change: merged, proposed: change, conflicts };
}

function recordsOf(proposal: Proposal, decided: readonly KeyDecision[]): readonly RecordBody[] {
  const { task, agent, op, base, priority } = proposal;
  const changes = decided.map((decision) => decision.change);
  const proposed = decided.flatMap((decision) => decision.proposed ?? []);
  const head = { type: 'memory.committed', task, agent, op, base, priority, changes } as const;
  const committed: MemoryCommitted = proposed.length > 0 ? { ...head, proposed } : head;
  return [committed, ...decided.flatMap((decision) => decision.conflicts)];
}

/** In the order in which the keys were first written. */
function lastPerKey(changes: readonly MemoryChange[]): readonly MemoryChange[] {
  return [...new Map(changes.map((change) => [change.key, change])).values()];
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

function rejected(proposal: Proposal, key: string, theirs: ProposedWrite): TroupeError {
  const message =
    `Task ${proposal.task} wrote ${key} from revision ${proposal.base}, ` +
    `but ${theirs.task} (agent ${theirs.agent}) wrote it at revision ${theirs.revision}.`;
  return new TroupeError('TRP_MEMORY_REJECTED', message, { place: `task ${proposal.task}` });
}
