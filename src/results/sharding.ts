import { TroupeError } from '../core/errors.ts';
import type { Plain } from '../core/plain.ts';

/** Into how many shards, or of at most how many items each. `size` decides where both are given. */
export interface ShardRequest {
  readonly count?: number;
  readonly size?: number;
}

/**
 * Cuts items into contiguous shards whose lengths differ by at most one. Order is kept, every item is in
 * exactly one shard, no shard is empty: fewer items than `count` give one shard each, and no items give none.
 * @throws TroupeError TRP_OPTION_INVALID when the count or size is not a whole number from 1, or neither is given.
 */
export function shardItems(items: readonly Plain[], how: ShardRequest): Plain[][] {
  const shardCount = Math.min(items.length, requestedCount(items.length, how));
  const shards: Plain[][] = [];
  for (let index = 0; index < shardCount; index++) {
    shards.push(items.slice(cut(index), cut(index + 1)));
  }
  return shards;

  function cut(index: number): number {
    return Math.floor((index * items.length) / shardCount);
  }
}

function requestedCount(total: number, { count, size }: ShardRequest): number {
  if (size !== undefined) return Math.ceil(total / checked('size', size));
  if (count !== undefined) return checked('count', count);
  throw new TroupeError('TRP_OPTION_INVALID', 'Shards need a count or a size.');
}

function checked(name: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new TroupeError(
    'TRP_OPTION_INVALID',
    `A shard ${name} is a whole number from 1, not ${value}.`,
  );
}
