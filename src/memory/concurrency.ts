import { canonicalJson } from '../core/canonical.ts';
import type { Plain } from '../core/plain.ts';
import { mergeWrite } from '../results/merging.ts';
import type { KeyWrite, MergeAnswer } from '../results/merging.ts';
import type { MergerName } from '../workflow/model.ts';

/** A write to a key as it was proposed, before any merging. */
export interface ProposedWrite extends KeyWrite {
  readonly task: string;
  /** Of its commit; 0 while it is only a proposal. */
  readonly revision: number;
}

/**
 * Writes to one key of which none had seen another, and what the key held when all of them began. The
 * key's value is what they give together.
 */
export interface Cluster {
  /** The key's revision that they began from; 0: it did not exist. */
  readonly seen: number;
  readonly base: Plain | undefined;
  /** In order of commit. Grows as writes join. */
  readonly writes: readonly ProposedWrite[];
  /** The one that decides against all others. */
  readonly strongest: ProposedWrite;
  /** Every write sets a number. */
  readonly numeric: boolean;
}

/** A write that is to join a cluster. */
export interface Joining {
  readonly rule: MergerName;
  /** What the cluster gives without it. */
  readonly current: Plain | undefined;
  readonly mine: ProposedWrite;
}

/** Two writes of which one lost something. */
export interface Collision {
  readonly theirs: ProposedWrite;
  readonly dropped: Plain | null;
}

/** What a key becomes when one more write joins those concurrent with it. */
export interface Joined {
  readonly value: Plain | undefined;
  readonly collisions: readonly Collision[];
}

/**
 * Whether a rule's pairwise merge forgets which write won a part, so that of three writes the order would
 * decide. Those are merged anew from all writes as proposed, the strongest first, so that every order of
 * arrival gives one value; that costs as many merges as there are concurrent writes to the key.
 */
const forgetsWriters: Readonly<Record<MergerName, 'always' | 'unless_numeric' | 'never'>> = {
  priority_merge: 'always',
  three_way: 'always',
  max: 'unless_numeric',
  min: 'unless_numeric',
  sum: 'unless_numeric',
  union: 'never',
  append: 'never',
  first_writer_wins: 'never',
  last_writer_wins: 'never',
  reject: 'never',
};

/** Merges a write into a cluster by the key's rule. */
export function joinCluster(cluster: Cluster, joining: Joining): Joined {
  const { rule, current, mine } = joining;
  if (isMergedAnew(cluster, joining)) return joinAnew(cluster, joining);
  const { base, writes } = cluster;
  const { value, dropped, conflict } = mergeWrite({
    rule,
    base,
    theirs: { ...cluster.strongest, value: current },
    mine,
  });
  const theirs = writes.at(-1) ?? cluster.strongest;
  return { value, collisions: conflict ? [{ theirs, dropped }] : [] };
}

function isMergedAnew(cluster: Cluster, { rule, mine }: Joining): boolean {
  const numeric = cluster.numeric && typeof mine.value === 'number';
  return (
    forgetsWriters[rule] === 'always' || (forgetsWriters[rule] === 'unless_numeric' && !numeric)
  );
}

/** The stronger of two writes, which decides where they clash. */
export function stronger(a: ProposedWrite, b: ProposedWrite): ProposedWrite {
  return byStrength(a, b) < 0 ? a : b;
}

function joinAnew(cluster: Cluster, { rule, mine }: Joining): Joined {
  const before = cluster.writes.toSorted(byStrength);
  const after = [...before, mine].sort(byStrength);
  const steps = foldDown(rule, cluster.base, after);
  const earlier = new Map(
    foldDown(rule, cluster.base, before).map(({ write, answer }) => [write, answer]),
  );
  const collisions = steps.flatMap(({ write, answer }): Collision[] => {
    if (!answer.conflict) return [];
    if (write === mine) return [{ theirs: opponent(rule, cluster, mine), dropped: answer.dropped }];
    return sameLoss(answer, earlier.get(write)) ? [] : [{ theirs: write, dropped: answer.dropped }];
  });
  return { value: steps.at(-1)?.answer.value, collisions };
}

interface Step {
  readonly write: ProposedWrite;
  readonly answer: MergeAnswer;
}

/** From the strongest down: what a weaker write wants is taken where no stronger one touched it. */
function foldDown(
  rule: MergerName,
  base: Plain | undefined,
  writes: readonly ProposedWrite[],
): readonly Step[] {
  const [first, ...rest] = writes as readonly [ProposedWrite, ...ProposedWrite[]];
  const steps: Step[] = [
    { write: first, answer: { value: first.value, dropped: null, conflict: false } },
  ];
  let { value } = first;
  for (const write of rest) {
    const answer = mergeWrite({ rule, base, theirs: { ...first, value }, mine: write });
    steps.push({ write, answer });
    value = answer.value;
  }
  return steps;
}

/** The strongest of those with whom the write clashes by itself. */
function opponent(rule: MergerName, cluster: Cluster, mine: ProposedWrite): ProposedWrite {
  const { base, writes } = cluster;
  const clashing = writes.filter((theirs) => mergeWrite({ rule, base, theirs, mine }).conflict);
  return clashing.sort(byStrength)[0] ?? cluster.strongest;
}

function sameLoss(answer: MergeAnswer, earlier: MergeAnswer | undefined): boolean {
  return (
    earlier?.conflict === true && canonicalJson(answer.dropped) === canonicalJson(earlier.dropped)
  );
}

/** As merging decides between writers: the higher priority, then the smaller agent id, then the smaller operation id. */
function byStrength(a: ProposedWrite, b: ProposedWrite): number {
  if (a.priority !== b.priority) return b.priority - a.priority;
  if (a.agent !== b.agent) return a.agent < b.agent ? -1 : 1;
  return a.op < b.op ? -1 : 1;
}
