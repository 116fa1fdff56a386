import type { Plain } from '../core/plain.ts';
import { LeafWinners } from '../results/leaf-winners.ts';
import type { Loss } from '../results/leaf-winners.ts';
import { droppedBy, mergeWrite, styleOf } from '../results/merging.ts';
import type { MergeAnswer } from '../results/merging.ts';
import { byStrength } from '../results/strength.ts';
import type { MergerName } from '../workflow/model.ts';
import { emptyMerging } from './cluster.ts';
import type { Cluster, ClusterMerging, MergeRule, ProposedWrite } from './cluster.ts';

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

/** What a merge place by place comes to; its value is made when it is asked for. */
export interface JoinedPlaces {
  readonly collisions: readonly Collision[];
  readonly places: number;
  value(): Plain | undefined;
}

/** A write that is to join a cluster. */
export interface Joining {
  readonly rule: MergerName;
  /** What the cluster gives without it. */
  readonly current: Plain | undefined;
  readonly mine: ProposedWrite;
}

/**
 * Merges a write into a cluster by a rule that merges place by place: every order of arrival gives one
 * value, and a write costs what it changes. Undefined: the rule does not merge so.
 */
export function joinPlaces(
  cluster: Cluster,
  by: MergeRule,
  mine: ProposedWrite,
): JoinedPlaces | undefined {
  const leaves = leavesOf(cluster, by);
  if (!leaves) return undefined;
  const losses = leaves.add(mine);
  cluster.merging.ahead = mine;
  return {
    collisions: collisionsOf(losses, mine),
    places: leaves.places,
    value: () => leaves.value(),
  };
}

/** The value of a cluster's first `count` writes under a rule that merges place by place. */
export function clusterValue(cluster: Cluster, by: MergeRule, count: number): Plain | undefined {
  if (count === cluster.writes.length) return leavesOf(cluster, by)?.value();
  const past = { ...cluster, writes: cluster.writes.slice(0, count), merging: emptyMerging() };
  return leavesOf(past, by)?.value();
}

/** The cluster's writes merged, brought up to date; what was only proposed, and did not come, is taken out again. */
function leavesOf(
  { base, writes, merging }: Cluster,
  { rule, type }: MergeRule,
): LeafWinners<ProposedWrite> | undefined {
  const style = styleOf(rule, type);
  if (!style) return undefined;
  const by = `${rule} ${type ?? 'auto'}`;
  catchUp(merging, writes[merging.included]);
  if (!merging.leaves || merging.by !== by || merging.ahead) {
    Object.assign(merging, { by, included: 0, ahead: undefined });
    merging.leaves = new LeafWinners(base, style);
  }
  while (merging.included < writes.length)
    merging.leaves.add(writes[merging.included++] as ProposedWrite);
  return merging.leaves;
}

/** The write that was in ahead of its commit has been committed. */
function catchUp(merging: ClusterMerging, next: ProposedWrite | undefined): void {
  if (!merging.ahead || next?.op !== merging.ahead.op) return;
  Object.assign(merging.ahead, { revision: next.revision });
  merging.ahead = undefined;
  merging.included++;
}

/** What mine lost, told against the strongest that took it, then what others lost to it. */
function collisionsOf(
  losses: readonly Loss<ProposedWrite>[],
  mine: ProposedWrite,
): readonly Collision[] {
  const [only] = losses;
  if (!only) return [];
  if (losses.length === 1)
    return [{ theirs: only.loser === mine ? only.winner : only.loser, dropped: droppedBy(losses) }];
  const own = losses.filter(({ loser }) => loser === mine);
  const byLoser = new Map<ProposedWrite, Loss<ProposedWrite>[]>();
  for (const loss of losses) {
    if (loss.loser === mine) continue;
    const known = byLoser.get(loss.loser);
    if (known) known.push(loss);
    else byLoser.set(loss.loser, [loss]);
  }
  const [opponent] = own.map(({ winner }) => winner).sort(byStrength);
  const first = opponent ? [{ theirs: opponent, dropped: droppedBy(own) }] : [];
  const others = [...byLoser].sort(([a], [b]) => byStrength(a, b));
  return [...first, ...others.map(([theirs, lost]) => ({ theirs, dropped: droppedBy(lost) }))];
}

/** Merges a write into a cluster by a rule that takes two values at a time. */
export function joinPair(cluster: Cluster, { rule, current, mine }: Joining): Joined {
  const { base, writes, strongest } = cluster;
  const isMixed = isNumeric(rule) && !(cluster.numeric && typeof mine.value === 'number');
  if (isMixed) return joinAnew(cluster, rule, mine);
  const answer = mergeWrite({ rule, base, theirs: { ...strongest, value: current }, mine });
  const theirs = writes.at(-1) ?? strongest;
  return {
    value: answer.value,
    collisions: answer.conflict ? [{ theirs, dropped: answer.dropped }] : [],
  };
}

function isNumeric(rule: MergerName): boolean {
  return rule === 'max' || rule === 'min' || rule === 'sum';
}

/**
 * Among values that are no numbers the strongest decides, and of three writes the order would decide who
 * that is: they are merged anew from all writes as proposed, the strongest first.
 */
function joinAnew({ base, writes }: Cluster, rule: MergerName, mine: ProposedWrite): Joined {
  const inOrder = [...writes, mine].sort(byStrength);
  const before = foldDown(writes.toSorted(byStrength), rule, base);
  const after = foldDown(inOrder, rule, base);
  const collisions: Collision[] = [];
  for (const [write, answer] of after) {
    if (!answer.conflict) continue;
    const theirs = write === mine ? (inOrder[0] as ProposedWrite) : write;
    if (write === mine || !before.get(write)?.conflict)
      collisions.push({ theirs, dropped: answer.dropped });
  }
  return { value: [...after.values()].at(-1)?.value, collisions };
}

function foldDown(
  inOrder: readonly ProposedWrite[],
  rule: MergerName,
  base: Plain | undefined,
): ReadonlyMap<ProposedWrite, MergeAnswer> {
  const answers = new Map<ProposedWrite, MergeAnswer>();
  let last: MergeAnswer | undefined;
  for (const write of inOrder) {
    const theirs = { ...(inOrder[0] as ProposedWrite), value: last?.value };
    last = last
      ? mergeWrite({ rule, base, theirs, mine: write })
      : { value: write.value, dropped: null, conflict: false };
    answers.set(write, last);
  }
  return answers;
}
