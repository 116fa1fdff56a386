import type { BarrierSpec, MinSuccess } from '../workflow/model.ts';

/** How successes are measured against what a barrier asks for: as members, or by their weights. */

/** So much has to succeed. Weights are counted in millionths, so that sums of them are exact in any order. */
export interface Threshold {
  readonly unit: 'members' | 'weight';
  readonly least: number;
}

/** What a barrier that weighs its members knows of them, in millionths. */
export interface Weights {
  /** By position of the member. */
  readonly of: readonly number[];
  readonly total: number;
  /** Positions, the heaviest first. */
  readonly heaviestFirst: readonly number[];
}

/** Successes that `target` asks for; a share counts against all members and is rounded up. */
export function thresholdOf(target: MinSuccess, total: number): Threshold {
  if ('weight' in target) return { unit: 'weight', least: millionths(target.weight) };
  if ('count' in target) return { unit: 'members', least: target.count };
  // 0.07 * 100 is 7.000000000000001: without the allowance a share would ask for one member too many.
  return { unit: 'members', least: Math.ceil(target.share * total - 1e-9) };
}

/** Whether so many members of so much weight are enough. */
export function reaches(
  { unit, least }: Threshold,
  { members, weight }: { readonly members: number; readonly weight: number },
): boolean {
  return (unit === 'members' ? members : weight) >= least;
}

/** The weights of the members, 1 for whom the barrier says none; undefined when nothing is measured by weight. */
export function weightsOf(spec: BarrierSpec, memberIds: readonly string[]): Weights | undefined {
  const { minSuccess, quorum, weights = {} } = spec;
  if (!('weight' in minSuccess) && !(quorum && 'weight' in quorum)) return undefined;
  const of = memberIds.map((id) => millionths(Object.hasOwn(weights, id) ? (weights[id] ?? 1) : 1));
  const heaviestFirst = of.map((_, index) => index).sort((a, b) => (of[b] ?? 0) - (of[a] ?? 0));
  return { of, total: of.reduce((sum, weight) => sum + weight, 0), heaviestFirst };
}

/** The weight of the heaviest `count` members of whom `isOut` does not hold; linear in the members. */
export function heaviestOf(
  { of, heaviestFirst }: Weights,
  count: number,
  isOut: (index: number) => boolean,
): number {
  let sum = 0;
  let left = count;
  for (const index of heaviestFirst) {
    if (left === 0) break;
    if (isOut(index)) continue;
    sum += of[index] ?? 0;
    left--;
  }
  return sum;
}

function millionths(weight: number): number {
  return Math.round(weight * 1e6);
}
