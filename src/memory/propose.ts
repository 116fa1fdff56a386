import { TroupeError } from '../core/errors.ts';
import type { Plain } from '../core/plain.ts';
import type {
  ConflictRecorded,
  MemoryChange,
  MemoryCommitted,
  MergedKey,
  RecordBody,
} from '../journal/record.ts';
import { sameContent } from '../results/content.ts';
import { valueFault } from '../results/value-schema.ts';
import type { MemoryKeySpec, MergerName } from '../workflow/model.ts';
import { stronger } from '../results/strength.ts';
import type { Cluster, ProposedWrite } from './cluster.ts';
import { joinPair, joinPlaces } from './concurrency.ts';
import type { Collision, Joined, JoinedPlaces } from './concurrency.ts';
import { openConflict } from './open-conflict.ts';
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
  /** What else the document says of a key. Default: nothing. */
  specOf?(key: string): Pick<MemoryKeySpec, 'type' | 'schema'> | undefined;
}

/** A merged value of more places than this is not written into the journal at every merge. */
const manyPlaces = 256;

/** What becomes of a proposal: records to append together, in this order, or a refusal. */
export type CommitDecision =
  | { readonly records: readonly RecordBody[] }
  | { readonly refused: TroupeError };

/** What one key ends with. */
interface KeyDecision {
  readonly change: MemoryChange;
  /** Set when merging made something else of it. */
  readonly proposed?: MemoryChange;
  /** Set instead of a value that is too large to be written. */
  readonly merged?: MergedKey;
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
  const questions = changes.map((change): KeyQuestion => ({
    proposal,
    change,
    rule: rules.mergerOf(change.key),
    spec: rules.specOf?.(change.key),
  }));
  // Refusals first: a changeset that is refused has merged nothing.
  for (const question of questions) {
    const refused = question.rule === 'reject' ? refusalOf(memory, question) : undefined;
    if (refused) return { refused };
  }
  return {
    records: recordsOf(
      proposal,
      questions.map((question) => decideKey(memory, question)),
    ),
  };
}

interface KeyQuestion {
  readonly proposal: Proposal;
  readonly change: MemoryChange;
  readonly rule: MergerName;
  readonly spec: Pick<MemoryKeySpec, 'type' | 'schema'> | undefined;
}

function refusalOf(memory: RunMemory, { proposal, change }: KeyQuestion): TroupeError | undefined {
  const entry = memory.entry(change.key);
  const cluster = entry?.concurrentWith(proposal.base);
  if (!entry || !cluster || sameContent(entry.latest?.value, valueOf(change))) return undefined;
  return rejected(proposal, change.key, cluster.strongest);
}

function decideKey(memory: RunMemory, question: KeyQuestion): KeyDecision {
  const { proposal, change, rule, spec } = question;
  const entry = memory.entry(change.key);
  const cluster = entry?.concurrentWith(proposal.base);
  if (!entry || !cluster || rule === 'reject') return { change, conflicts: [] };
  const { agent, task, op, priority } = proposal;
  const mine = { value: valueOf(change), agent, task, op, priority, revision: 0 };
  const joined = joinPlaces(cluster, { rule, type: spec?.type }, mine);
  if (joined && joined.places > manyPlaces && !spec?.schema) return largeMerge(question, joined);
  const current = entry.latest?.value;
  const { value, collisions } = joined
    ? { value: joined.value(), collisions: joined.collisions }
    : joinPair(cluster, { rule, current, mine });
  return checkedValue({ question, cluster, mine, current }, { value, collisions });
}

function largeMerge(question: KeyQuestion, { collisions }: JoinedPlaces): KeyDecision {
  const { change, rule, spec } = question;
  const merged = { key: change.key, rule, ...(spec?.type ? { mergeType: spec.type } : {}) };
  return { change, merged, conflicts: conflictsOf(question, collisions) };
}

interface Merge {
  readonly question: KeyQuestion;
  readonly cluster: Cluster;
  readonly mine: ProposedWrite;
  readonly current: Plain | undefined;
}

/**
 * A merged value that does not fit the key's schema is no merge: the strongest write stands whole, so that what
 * stands follows from the writes and not from their order; under `manual` theirs, until a person decides.
 */
function checkedValue(merge: Merge, { value, collisions }: Joined): KeyDecision {
  const { question, cluster, mine, current } = merge;
  const { spec, change, rule } = question;
  const winner = stronger(cluster.strongest, mine);
  const fault =
    spec?.schema && value !== undefined && !sameContent(value, winner.value)
      ? valueFault(spec.schema, value)
      : undefined;
  if (fault === undefined)
    return keyDecision(change, value, openedIn(merge, conflictsOf(question, collisions)));
  const stands = rule === 'manual' ? current : winner.value;
  const lost = [current, mine.value].filter((one) => !sameContent(one, stands));
  const losses = lost.map((one) => ({ theirs: cluster.strongest, dropped: one ?? null }));
  const conflicts = openedIn(merge, conflictsOf(question, losses.slice(-1)));
  const earlier = conflictsOf(question, losses.slice(0, -1));
  const told = [...conflicts, ...earlier].map((conflict) => ({ ...conflict, fault }));
  return keyDecision(change, stands, told);
}

function keyDecision(
  change: MemoryChange,
  value: Plain | undefined,
  conflicts: readonly ConflictRecorded[],
): KeyDecision {
  const merged = changeOf(change.key, value);
  return sameContent(value, valueOf(change))
    ? { change: merged, conflicts }
    : { change: merged, proposed: change, conflicts };
}

/** Under `manual` a person decides what the rule could not. */
function openedIn(
  merge: Merge,
  conflicts: readonly ConflictRecorded[],
): readonly ConflictRecorded[] {
  if (merge.question.rule !== 'manual') return conflicts;
  const { cluster, current, mine } = merge;
  const open = openConflict({ base: cluster.base, theirs: current, mine: mine.value });
  return conflicts.map((conflict) => ({ ...conflict, open }));
}

function conflictsOf(
  { proposal, change, rule }: KeyQuestion,
  collisions: readonly Collision[],
): readonly ConflictRecorded[] {
  const { agent, task, base } = proposal;
  return collisions.map(({ theirs, dropped }) => ({
    type: 'conflict.recorded',
    key: change.key,
    rule,
    base,
    theirs: { agent: theirs.agent, revision: theirs.revision },
    mine: { agent, task },
    dropped,
  }));
}

function recordsOf(proposal: Proposal, decided: readonly KeyDecision[]): readonly RecordBody[] {
  const { task, agent, op, base, priority } = proposal;
  const changes: MemoryChange[] = [];
  const proposed: MemoryChange[] = [];
  const merged: MergedKey[] = [];
  const records: RecordBody[] = [];
  for (const decision of decided) {
    if (decision.merged) {
      merged.push(decision.merged);
      proposed.push(decision.change);
    } else changes.push(decision.change);
    if (decision.proposed) proposed.push(decision.proposed);
    for (const conflict of decision.conflicts) records.push(conflict);
  }
  const head = { type: 'memory.committed', task, agent, op, base, priority, changes } as const;
  const committed: MemoryCommitted = {
    ...head,
    ...(proposed.length > 0 && { proposed }),
    ...(merged.length > 0 && { merged }),
  };
  return [committed, ...records];
}

/** In the order in which the keys were first written. */
function lastPerKey(changes: readonly MemoryChange[]): readonly MemoryChange[] {
  const keys = new Set(changes.map(({ key }) => key));
  if (keys.size === changes.length) return changes;
  return [...new Map(changes.map((change) => [change.key, change])).values()];
}

function changeOf(key: string, value: Plain | undefined): MemoryChange {
  return value === undefined ? { key, deleted: true } : { key, value };
}

function notOwner(proposal: Proposal, key: string, rules: MemoryRules): TroupeError {
  const owner = rules.ownerOf(key);
  const belongs = owner === undefined ? 'nobody declared it' : `it belongs to ${owner}`;
  const message = `${writer(proposal)} wrote ${key}, but ${belongs}.`;
  return new TroupeError('TRP_MEMORY_NOT_OWNER', message, { place: `task ${proposal.task}` });
}

/** Whoever writes outside a run has no task: both have one name there. */
function writer({ task, agent }: Pick<Proposal, 'task' | 'agent'>): string {
  return task === agent ? `agent ${agent}` : `task ${task} (agent ${agent})`;
}

function rejected(proposal: Proposal, key: string, theirs: ProposedWrite): TroupeError {
  const message =
    `${writer(proposal)} wrote ${key} from revision ${proposal.base}, ` +
    `but ${writer(theirs)} wrote it at revision ${theirs.revision}.`;
  return new TroupeError('TRP_MEMORY_REJECTED', message, { place: `task ${proposal.task}` });
}
