import { canonicalJson } from '../core/canonical.ts';
import type { Plain, PlainObject } from '../core/plain.ts';
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
  readonly fold: ClusterFold;
}

/** What folding a cluster came to, kept for the next write that joins. Follows from the writes alone. */
export interface ClusterFold {
  rule: MergerName | undefined;
  /** How many of the writes are in. */
  included: number;
  steps: readonly Step[];
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
 * arrival gives one value; that costs as many merges as there are concurrent writes that still matter.
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
  const { base, writes } = cluster;
  const answer = mergeWrite({ rule, base, theirs: { ...cluster.strongest, value: current }, mine });
  if (needsFold(cluster, joining, answer)) return joinAnew(cluster, joining);
  const theirs = writes.at(-1) ?? cluster.strongest;
  return {
    value: answer.value,
    collisions: answer.conflict ? [{ theirs, dropped: answer.dropped }] : [],
  };
}

function needsFold(cluster: Cluster, { rule, mine }: Joining, pairwise: MergeAnswer): boolean {
  // Where no part clashes it does not matter who is stronger.
  if (forgetsWriters[rule] === 'always') return pairwise.conflict;
  const numeric = cluster.numeric && typeof mine.value === 'number';
  return forgetsWriters[rule] === 'unless_numeric' && !numeric;
}

/** The stronger of two writes, which decides where they clash. */
export function stronger(a: ProposedWrite, b: ProposedWrite): ProposedWrite {
  return byStrength(a, b) < 0 ? a : b;
}

function joinAnew(cluster: Cluster, { rule, mine }: Joining): Joined {
  const before = foldOf(cluster, rule);
  const steps = withWrites(before, [mine], { rule, base: cluster.base });
  const earlier = new Map(before.map(({ write, answer }) => [write, answer]));
  const collisions = steps.flatMap(({ write, answer }): Collision[] => {
    if (!answer.conflict) return [];
    if (write === mine) return [{ theirs: opponent(cluster, rule, mine), dropped: answer.dropped }];
    return sameLoss(answer, earlier.get(write)) ? [] : [{ theirs: write, dropped: answer.dropped }];
  });
  return { value: steps.at(-1)?.answer.value, collisions };
}

/** The steps of a cluster's fold that still matter. */
function foldOf(cluster: Cluster, rule: MergerName): readonly Step[] {
  const { fold, writes } = cluster;
  if (fold.rule !== rule) Object.assign(fold, { rule, included: 0, steps: [] });
  if (fold.included < writes.length) {
    const all = withWrites(fold.steps, writes.slice(fold.included), { rule, base: cluster.base });
    fold.steps = all.filter(({ beaten }) => !beaten);
    fold.included = writes.length;
  }
  return fold.steps;
}

/** One write's turn in a fold. */
interface Step {
  readonly write: ProposedWrite;
  readonly answer: MergeAnswer;
  /** Stronger writes have taken all that it wanted, for ever: leaving it out changes no later fold. */
  readonly beaten: boolean;
}

/** What every merge of a fold has in common. */
interface FoldRule {
  readonly rule: MergerName;
  readonly base: Plain | undefined;
}

/** A fold with more writes in it: steps of writes that are stronger than all of them stay as they are. */
function withWrites(
  steps: readonly Step[],
  more: readonly ProposedWrite[],
  by: FoldRule,
): readonly Step[] {
  const writes = [...steps.map(({ write }) => write), ...more].sort(byStrength);
  const changed = writes.findIndex((write, index) => write !== steps[index]?.write);
  return foldDown(steps.slice(0, changed), writes.slice(changed), by);
}

/** From the strongest down: what a weaker write wants is taken where no stronger one touched it. */
function foldDown(
  done: readonly Step[],
  writes: readonly ProposedWrite[],
  by: FoldRule,
): readonly Step[] {
  const steps = [...done];
  for (const write of writes) {
    const last = steps.at(-1);
    const first = steps[0]?.write;
    steps.push(
      last && first
        ? nextStep({ ...first, value: last.answer.value }, write, by)
        : firstStep(write),
    );
  }
  return steps;
}

function firstStep(write: ProposedWrite): Step {
  return { write, answer: { value: write.value, dropped: null, conflict: false }, beaten: false };
}

function nextStep(theirs: ProposedWrite, write: ProposedWrite, { rule, base }: FoldRule): Step {
  const answer = mergeWrite({ rule, base, theirs, mine: write });
  const beaten = forgetsWriters[rule] === 'always' && isBeaten(theirs.value, write, answer);
  return { write, answer, beaten };
}

/**
 * A write is beaten when it added nothing and lost nothing but values of leaves: at each there is a stronger
 * change, and whatever comes is weaker than that or replaces it by a stronger one. An object or a deletion
 * that lost to a scalar is not beaten: a still stronger object may let it in again.
 */
function isBeaten(current: Plain | undefined, write: ProposedWrite, answer: MergeAnswer): boolean {
  if (!sameText(answer.value, current)) return false;
  const bothObjects = isObject(write.value) && isObject(current);
  if (!answer.conflict) return bothObjects || sameText(write.value, current);
  if (!bothObjects) return isLeaf(answer.dropped) && isLeaf(write.value);
  return Object.values(answer.dropped ?? {}).every(isLeaf);
}

/** Null stands for a lost deletion as well. */
function isLeaf(value: Plain | undefined): boolean {
  return value !== undefined && value !== null && !isObject(value);
}

function isObject(value: Plain | undefined): value is PlainObject {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Uint8Array)
  );
}

function sameText(left: Plain | undefined, right: Plain | undefined): boolean {
  if (left === undefined || right === undefined) return left === right;
  return left === right || canonicalJson(left) === canonicalJson(right);
}

/** The strongest of those with whom the write clashes by itself. */
function opponent(cluster: Cluster, rule: MergerName, mine: ProposedWrite): ProposedWrite {
  const { base } = cluster;
  const clashing = foldOf(cluster, rule).find(
    ({ write: theirs }) => mergeWrite({ rule, base, theirs, mine }).conflict,
  );
  return clashing?.write ?? cluster.strongest;
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
