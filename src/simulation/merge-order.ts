import { isDeepStrictEqual } from 'node:util';
import { seedOf } from '../core/random.ts';
import type { JournalRecord } from '../journal/record.ts';
import { ownershipOf } from '../memory/ownership.ts';
import { decideCommit } from '../memory/propose.ts';
import type { MemoryRules, Proposal } from '../memory/propose.ts';
import { RunMemory } from '../memory/run-memory.ts';
import type { CommittedRecord } from '../memory/run-memory.ts';
import type { MergerName, Workflow } from '../workflow/model.ts';
import { Dice } from './dice.ts';

/** Rules by which it matters who comes first; docs/guarantees.md says so. */
const ordered: ReadonlySet<MergerName> = new Set([
  'first_writer_wins',
  'last_writer_wins',
  'append',
  'manual',
  'reject',
]);

/** Orders that each group of concurrent changesets is tried in. */
const ordersOfAGroup = 3;

/** Groups of one journal that are looked at: those that come first. */
const groupsOfAJournal = 4;

/**
 * Proposes what a journal has committed once more, in other orders and some of it twice: changesets that knew nothing
 * of each other come to the same memory whichever came first. Keys whose rule goes by order are left out.
 * @returns what came to something else
 */
export function orderFault(records: readonly JournalRecord[]): string | undefined {
  const [start] = records;
  if (start?.type !== 'run.started') return undefined;
  const rules = openRules(start.workflow);
  const commits = records.flatMap((record) => committedOf(record, rules));
  for (const group of concurrentGroups(commits).slice(0, groupsOfAJournal)) {
    const fault = groupFault(commits, group, rules);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/** Changesets that are all made from a state before the first of them, without any that a person decided. */
function concurrentGroups(commits: readonly CommittedRecord[]): readonly CommittedRecord[][] {
  const groups: CommittedRecord[][] = [];
  let group: CommittedRecord[] = [];
  for (const commit of commits) {
    const [first] = group;
    if (!first || commit.base >= first.seq) groups.push((group = []));
    group.push(commit);
  }
  return groups.filter(({ length }) => length > 1);
}

function groupFault(
  commits: readonly CommittedRecord[],
  group: readonly CommittedRecord[],
  rules: MemoryRules,
): string | undefined {
  const [first] = group as [CommittedRecord];
  const before = commits.filter(({ seq }) => seq < first.seq);
  const proposals = group.map(proposalOf);
  const how = { rules, firstSeq: first.seq };
  const expected = contentOf(proposed(before, proposals, how));
  const dice = new Dice(seedOf('order', first.op));
  for (let order = 0; order < ordersOfAGroup; order++) {
    const other = order === 0 ? proposals.toReversed() : shuffled(proposals, dice);
    const repeated = [...other, ...other.filter(() => dice.chance(0.5))];
    const found = contentOf(proposed(before, repeated, how));
    if (!isDeepStrictEqual(found, expected))
      return `${group.map(({ task }) => task).join(', ')} come to another memory as ${other.map(({ task }) => task).join(', ')}`;
  }
  return undefined;
}

/** Memory after what was committed before and these proposals, in this order. */
function proposed(
  before: readonly CommittedRecord[],
  proposals: readonly Proposal[],
  { rules, firstSeq }: { rules: MemoryRules; firstSeq: number },
): RunMemory {
  const memory = new RunMemory();
  for (const commit of before) memory.apply(commit);
  // Behind every state that they were made from.
  let seq = firstSeq;
  for (const proposal of proposals) {
    const decided = decideCommit(memory, proposal, rules);
    if ('refused' in decided) continue;
    for (const record of decided.records)
      if (record.type === 'memory.committed') memory.apply({ ...record, seq: seq++ });
  }
  return memory;
}

/** A committed changeset without keys whose rule goes by order; none: nothing is left of it. */
function committedOf(record: JournalRecord, rules: MemoryRules): CommittedRecord[] {
  if (record.type !== 'memory.committed') return [];
  const isFree = ({ key }: { readonly key: string }): boolean => !ordered.has(rules.mergerOf(key));
  const { proposed: own = [], merged = [], ...rest } = record;
  const kept = { changes: rest.changes.filter(isFree), merged: merged.filter(isFree) };
  if (kept.changes.length + kept.merged.length === 0) return [];
  return [{ ...rest, ...kept, proposed: own.filter(isFree) }];
}

/** What was proposed, before merging made something else of it. */
function proposalOf({
  task,
  agent,
  op,
  base,
  priority,
  changes,
  proposed: own = [],
}: CommittedRecord): Proposal {
  const byKey = new Map([...changes, ...own].map((change) => [change.key, change]));
  return { task, agent, op, base, priority, changes: [...byKey.values()] };
}

/** Who may write is not asked again: it was when the changeset was committed. */
function openRules(workflow: Workflow): MemoryRules {
  return { ...ownershipOf(workflow), allowed: () => true };
}

function contentOf(memory: RunMemory): object {
  const view = memory.view();
  return view.keys().map((key) => [key, view.get(key)]);
}

function shuffled<T>(list: readonly T[], dice: Dice): T[] {
  const left = [...list];
  return list.map(() => left.splice(dice.between(0, left.length - 1), 1)[0] as T);
}
